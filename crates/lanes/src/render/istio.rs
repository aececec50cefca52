//! A lane group as resources of upstream Istio (1.28 to 1.31), in the order in which they must be applied.
//!
//! Where requests go is said by VirtualServices or by HTTPRoutes of Gateway API, as the document has it; what a lane is, what it
//! falls back to and what is sent again is decided outside of both, in `rules` and `pools`. The fallback of a
//! permissive lane is an aggregate cluster over the lane's own pods and the baseline's, which replaces the cluster that the
//! lane's requests go to under the same name. Without it the lane is strict, and never wrong.

pub mod any_gateway;
mod cost;
mod destination_rule;
mod envoy_filter;
pub mod envoy_gateway;
mod file;
mod front;
mod gateway;
mod gateway_api;
pub mod higress;
mod http_route;
mod implementation;
pub(crate) mod lane_service;
mod plugin;
mod propagation;
pub mod resource;
mod specificity;
mod stage;
mod virtual_service;

use crate::document::{LaneGroup, Routing, Service};

pub use cost::Cost;
pub use file::{File, kustomization};
pub use front::behind;
use implementation::Implementation;
use plugin::Api;
pub use plugin::Images;
pub use stage::Stage;

/// The files of a lane group, in the order of application. Delete in the opposite order.
///
/// # Errors
/// The lane group, though valid, cannot be said in the resources that it asks for.
pub fn render(group: &LaneGroup, images: &Images) -> anyhow::Result<Vec<File>> {
    let files = match group.spec.mesh.routing {
        Routing::VirtualService => vec![
            destination_rule::subsets(group)?,
            envoy_filter::fallback(group)?,
            propagation::file(group, images)?,
            plugin::baggage_strip(group, images, Api::Istio)?,
            virtual_service::of_services(group)?,
            envoy_filter::hashing(group)?,
            gateway::file(group)?,
            envoy_filter::mirror_of_virtual_service(group)?,
            plugin::hash_tagging(group, images, Api::Istio)?,
        ],
        Routing::GatewayApi => {
            let (mesh, hops) = http_route::mesh(group)?;
            let (gateway, ingress) = gateway_api::file(group, Implementation::Istio, "istio")?;
            vec![
                lane_service::file(group)?,
                destination_rule::whole_lanes(group)?,
                envoy_filter::fallback(group)?,
                propagation::file(group, images)?,
                plugin::baggage_strip(group, images, Api::Istio)?,
                mesh,
                envoy_filter::retries(group, "45-retries.yaml", Stage::Routes, &hops)?,
                gateway,
                envoy_filter::retries(group, "55-retries.yaml", Stage::Gateway, &ingress)?,
                envoy_filter::mirror_of_http_routes(group, &ingress)?,
                plugin::hash_tagging(group, images, Api::Istio)?,
            ]
        }
    };
    Ok(files.into_iter().filter(|file| !file.documents.is_empty()).collect())
}

/// The name of what belongs to a service.
fn name_for(service: &Service) -> String {
    format!("{}-lanes", service.name)
}
