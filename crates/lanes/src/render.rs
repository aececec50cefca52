//! From a lane group to what carries it out.

mod filter;
mod names;
mod pools;
mod rules;
mod yaml;

pub mod envoy;
pub mod istio;

pub use filter::{Module, modules};
pub(crate) use filter::{baggage_strip, in_sidecars as sidecar_filter};
pub(crate) use istio::lane_service;
pub(crate) use rules::ingress_is_empty;
pub use yaml::yaml;
