//! From a lane group to what carries it out.

mod filter;
mod names;
mod pools;
mod rules;
mod yaml;

pub mod envoy;
pub mod istio;

pub(crate) use filter::in_sidecars as sidecar_filter;
pub use filter::{Module, modules};
pub(crate) use istio::lane_service;
pub use yaml::yaml;
