//! A gateway, sidecars and services as processes of this machine, each pod on a loopback address of its own.
//!
//! [`Mesh`] runs a walkthrough, a directory below `envoy/`: the demo and the test suites use it, and so what is shown
//! and what is tested are the same files. [`Envoy`] runs a single proxy with any configuration. Both end what they
//! started when they are dropped, also in a panic that unwinds.

mod admin;
mod client;
mod envoy;
mod mesh;
mod network;
mod pod;
mod process;
mod python;
mod wait;

pub use crate::{
    client::{Answer, Chain, Client},
    envoy::{Envoy, EnvoyBuilder, EnvoyConfig},
    mesh::{Mesh, MeshOptions},
    network::Network,
    pod::Pod,
    python::installed_opentelemetry,
    wait::wait_until,
};
