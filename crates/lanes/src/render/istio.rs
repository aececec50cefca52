//! A lane group as resources of upstream Istio (1.28 to 1.30), in the order in which they must be applied.
//!
//! The fallback of a permissive lane is an aggregate cluster over the lane's own pods and the baseline's, which replaces
//! the cluster of the lane's subset under the same name. Without it the lane is strict, and never wrong.

mod ambient;
mod destination_rule;
mod envoy_filter;
mod file;
mod gateway;
mod plugin;
mod propagation;
mod resource;
mod services;
mod virtual_service;

use crate::document::{LaneGroup, Service};

pub use file::{File, kustomization};
pub use plugin::{Images, PluginKind};

/// How a lane group is rendered, beyond what it says itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The resource that a filter's module becomes.
    pub plugin: PluginKind,
    /// Where the modules are.
    pub images: Images,
    /// Whether waypoints must understand the resources too, beside gateways and sidecars.
    pub ambient: bool,
}

/// The files of a lane group, in the order of application. Delete in the opposite order.
///
/// # Errors
/// The lane group, though valid, cannot be had as the options say.
pub fn render(group: &LaneGroup, options: &Options) -> anyhow::Result<Vec<File>> {
    if options.ambient {
        ambient::can_be(group)?;
    }
    let files = [
        destination_rule::file(group, options)?,
        envoy_filter::file(group, options)?,
        services::file(group, options)?,
        propagation::file(group, options)?,
        gateway::file(group)?,
        plugin::hash_tagging(group, options)?,
    ];
    Ok(files.into_iter().filter(|file| !file.documents.is_empty()).collect())
}

/// The name of what belongs to a service.
fn name_for(service: &Service) -> String {
    format!("{}-lanes", service.name)
}
