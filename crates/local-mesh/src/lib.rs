//! A gateway, sidecars and services as processes of this machine, each pod on a loopback address of its own.
//!
//! [`Mesh`] runs what `lanes render envoy` made of a lane group: the demo and the test suites use it, and so what is shown
//! and what is tested are the same files. [`Envoy`] runs a single proxy with any configuration. Both end what they
//! started when they are dropped, also in a panic that unwinds.

mod admin;
mod application;
mod client;
mod condition;
mod envoy;
mod mesh;
mod network;
mod options;
mod pod;
mod process;
mod python;
mod wait;

pub use crate::{
    application::{Environment, environment as application_environment, is_instrumented},
    client::{Answer, Chain, Client},
    condition::Condition,
    envoy::{Envoy, EnvoyBuilder, EnvoyConfig},
    mesh::Mesh,
    network::{Network, Subnet},
    options::{MeshOptions, Programs, WALKTHROUGHS, walkthrough_group},
    pod::Pod,
    python::installed_opentelemetry,
    wait::wait_until,
};
