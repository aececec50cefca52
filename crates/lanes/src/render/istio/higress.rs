//! A lane group at a Higress gateway (2.2).
//!
//! Its control plane is a fork of Istio 1.27 that reads Istio's resources where `global.enableIstioAPI` is set, the default
//! (`helm/core/templates/configmap.yaml`). Its `rootNamespace` is the one that Higress is installed in. A filter is Higress' own
//! WasmPlugin, which it makes Istio's of, for the gateway's pods (`pkg/ingress/config/ingress_config.go`).

mod ingress;
mod refused;

use clap::ValueEnum;

use super::{
    File, Images, destination_rule, envoy_filter, front, gateway, lane_service,
    plugin::{self, Api},
    propagation, virtual_service,
};
use crate::{
    document::{Gateway, LaneGroup},
    render::{Module, filter},
};

/// The label of the gateway's pods, and its value behind the namespace (`helm/core/templates/_helpers.tpl`).
const LABEL: &str = "higress";
const GATEWAY: &str = "higress-gateway";
const NAMESPACE: &str = "higress-system";

/// What a rendering for Higress is to have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Higress {
    /// The mesh behind the gateway.
    pub mesh: Behind,
    /// Whether Ingresses lead into the lanes, instead of Istio's Gateway and VirtualService.
    pub ingress: bool,
}

/// The mesh behind a gateway.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Behind {
    /// None: only what the gateway's routes lead to has lanes
    #[default]
    None,
    /// Istio: every hop keeps the lane, as `lanes render istio` has it
    Istio,
}

/// The files of a lane group, in the order of application. Delete in the opposite order.
///
/// # Errors
/// The lane group, though valid, asks for what cannot be said for Higress: each such field with what to do instead.
pub fn render(group: &LaneGroup, images: &Images, higress: Higress) -> anyhow::Result<Vec<File>> {
    refused::refuse(group)?;
    let group = &with_gateway(group);
    let front = &front(group);
    let mut files =
        vec![plugin::baggage_strip(group, images, Api::Higress)?, plugin::hash_tagging(group, images, Api::Higress)?];
    if higress.ingress {
        files.extend([ingress::file(front)?, lane_service::one_each(front)?]);
    } else {
        files.push(gateway::file(front)?);
    }
    match (higress.mesh, higress.ingress) {
        (Behind::None, true) => {}
        (Behind::None, false) => files.extend([destination_rule::subsets(front)?, envoy_filter::fallback(front)?]),
        (Behind::Istio, ingress) => {
            files.extend([
                destination_rule::subsets(group)?,
                envoy_filter::fallback(group)?,
                propagation::file(group, images)?,
                virtual_service::of_services(group)?,
            ]);
            if !ingress {
                let mut file = envoy_filter::fallback(front)?;
                file.name = "25-fallback-at-gateway.yaml";
                files.push(file);
            }
        }
    }
    files.retain(|file| !file.documents.is_empty());
    files.sort_by_key(|file| file.name);
    Ok(files)
}

/// The filters that a lane group needs: without a mesh, those of the gateway.
pub fn modules(group: &LaneGroup, mesh: Behind) -> Vec<Module> {
    match mesh {
        Behind::Istio => filter::modules(group),
        Behind::None => filter::at_gateway(&group.spec).into_iter().map(|filter| filter.module).collect(),
    }
}

/// The lane group at Higress' gateway: the one that the document selects by Higress' label, or else the chart's.
fn with_gateway(group: &LaneGroup) -> LaneGroup {
    let mut group = group.clone();
    if let Some(gateway) = &mut group.spec.gateway
        && !gateway.selector.contains_key(LABEL)
    {
        let selector = [(LABEL.to_owned(), format!("{NAMESPACE}-{GATEWAY}"))].into();
        *gateway = Gateway { selector, namespace: NAMESPACE.to_owned(), ..gateway.clone() };
    }
    group
}

/// What Higress' control plane is to know of a lane group: the services that the gateway sends requests to. It gives the gateway
/// no other clusters (`global.onlyPushRouteCluster`).
fn front(group: &LaneGroup) -> LaneGroup {
    let mut front = front::front(group);
    let mesh = &mut front.spec.mesh;
    mesh.root_namespace = group.gateway_pods().0;
    // Of waypoints it knows nothing.
    mesh.ambient = false;
    front
}
