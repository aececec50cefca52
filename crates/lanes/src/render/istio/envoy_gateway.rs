//! A lane group at an Envoy Gateway (1.9).
//!
//! Its routes are Gateway API's, so the rules are those that Istio gets by `routing: gatewayAPI`. The filter is an
//! EnvoyExtensionPolicy's, and a lane falls back from one Backend to another. What is said of it here is read from the sources of
//! 1.9.0.

pub(super) mod backend;
mod extension_policy;
pub(super) mod not_found;
mod refused;
mod traffic_policy;

use super::{File, Images, front, gateway_api, implementation::Implementation, lane_service};
use crate::{
    document::LaneGroup,
    render::{Module, filter},
};

/// The GatewayClass that Envoy Gateway's documentation makes.
pub const CLASS: &str = "eg";

/// The files of a lane group, in the order of application. Delete in the opposite order. `class` is the GatewayClass of a Gateway that
/// is rendered.
///
/// # Errors
/// The lane group, though valid, asks for what cannot be said for Envoy Gateway: each such field with what to do instead.
pub fn render(group: &LaneGroup, images: &Images, class: &str) -> anyhow::Result<Vec<File>> {
    refused::refuse(group)?;
    let group = &front::by_gateway_api(group);
    let (gateway, routes) = gateway_api::file(group, Implementation::EnvoyGateway, class)?;
    let files = [
        lane_service::of_gateway_api(group)?,
        backend::file(group)?,
        traffic_policy::file(group, &routes)?,
        extension_policy::file(group, images)?,
        not_found::file(group, &routes)?,
        gateway,
    ];
    Ok(files.into_iter().filter(|file| !file.documents.is_empty()).collect())
}

/// The filters that a lane group needs: those of the gateway.
pub fn modules(group: &LaneGroup) -> Vec<Module> {
    filter::at_gateway(&group.spec).into_iter().map(|filter| filter.module).collect()
}
