//! Waypoints: what meshes need that are ambient, or mix both.
//!
//! A waypoint keeps the clusters that Istio generates whatever an EnvoyFilter removes, and only takes additional ones. So the
//! lane's subset is in no DestinationRule, and its cluster is added in every proxy.

use anyhow::bail;

use super::{
    File,
    envoy_filter::{Aggregate, EnvoyFilter, addition},
    resource::{Resource, TargetRef},
};
use crate::document::{LaneGroup, Propagation, Service};

/// The waypoint of a namespace, as `istioctl waypoint apply` calls it.
const WAYPOINT: &str = "waypoint";
/// `istioctl analyze` misses the subset in the DestinationRule, which must not have it.
pub(super) const SUPPRESS: (&str, &str) = ("galley.istio.io/analyze-suppress", "IST0101");

/// # Errors
/// The way that the tag crosses an application needs sidecars.
pub(super) fn can_be(group: &LaneGroup) -> anyhow::Result<()> {
    let why = match group.spec.propagation() {
        Propagation::Application => return Ok(()),
        Propagation::SourceLabels => "a waypoint does not see the labels of the calling pod",
        Propagation::Trace(_) | Propagation::Baggage(_) => {
            "its filter needs to see what enters a pod and what leaves it, which no waypoint does"
        }
    };
    bail!(
        "spec.propagation: {why}: with --ambient only `application` is possible, which needs the application to forward `{}`",
        group.spec.route_header
    )
}

/// One EnvoyFilter for the namespace's waypoint: it must name what it is attached to.
pub(super) fn add_to(file: &mut File, group: &LaneGroup) -> anyhow::Result<()> {
    let lane_and_service = |service| {
        let lanes = group.spec.lanes.iter().filter(|lane| group.spec.falls_back(&lane.name));
        lanes.map(move |lane| aggregate(group, service, &lane.name))
    };
    let aggregates = group.spec.services.iter().flat_map(lane_and_service);
    let config_patches = aggregates.map(|aggregate| addition("SIDECAR_INBOUND", aggregate)).collect();
    let target = TargetRef { group: "gateway.networking.k8s.io", kind: "Gateway", name: WAYPOINT };
    let filter = EnvoyFilter { target_refs: vec![target], config_patches };
    let name = format!("{}-waypoint-lanes", group.metadata.name);
    file.add(&Resource::new(name, &group.metadata.namespace, filter))
}

fn aggregate(group: &LaneGroup, service: &Service, lane: &str) -> Aggregate {
    let cluster = |subset: &str| format!("inbound-vip|{}|http/{subset}|{}", service.port, group.host(&service.name));
    Aggregate::new(lane, &group.spec.baseline, service.protocol, cluster)
}
