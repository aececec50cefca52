//! From a lane group to what carries it out.

mod copies;
mod filter;
mod names;
mod pools;
mod rules;

pub mod envoy;
pub mod istio;
pub mod prometheus;

use serde::Serialize;

pub use filter::{Module, modules};
pub(crate) use filter::{baggage_strip, in_sidecars as sidecar_filter};
pub(crate) use istio::lane_service;
pub use istio::{any_gateway, behind, envoy_gateway, higress};
pub(crate) use names::hosts;
pub(crate) use rules::ingress_is_empty;

/// A value as YAML that every reader takes for the same. What YAML 1.1 takes for no text, as `no` and `1:30`, is quoted: kubectl and Envoy read YAML 1.1. Texts of
/// several lines are blocks; no line is folded.
///
/// # Errors
/// The value has no form in YAML.
pub fn yaml(value: &impl Serialize) -> anyhow::Result<String> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    Ok(serde_saphyr::to_string_with_options(value, options)?)
}
