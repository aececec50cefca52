//! Waypoints: what meshes need that are ambient, or mix both.
//!
//! A waypoint keeps the clusters that Istio generates whatever an EnvoyFilter removes, and only takes additional ones. So the
//! lane's subset is in no DestinationRule, and its cluster is added in every proxy.

use serde_json::{Value, json};

use super::{
    File,
    envoy_filter::{addition, aggregate, of_patches},
    resource::Kind,
};
use crate::document::LaneGroup;

/// The waypoint of a namespace, as `istioctl waypoint apply` calls it.
const WAYPOINT: &str = "waypoint";
/// `istioctl analyze` misses the subset in the DestinationRule, which must not have it.
pub(super) const SUPPRESS: (&str, &str) = ("galley.istio.io/analyze-suppress", "IST0101");

/// One EnvoyFilter for each namespace's waypoint: it must name what it is attached to.
pub(super) fn add_to(file: &mut File, group: &LaneGroup) -> anyhow::Result<()> {
    for namespace in group.namespaces() {
        let patches = patches(group, namespace);
        if !patches.is_empty() {
            let target = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": WAYPOINT});
            let name = format!("{}.{}.waypoint-lanes", group.metadata.namespace, group.metadata.name);
            file.add(Kind::ENVOY_FILTER, name, namespace, of_patches(&[target], &patches))?;
        }
    }
    Ok(())
}

fn patches(group: &LaneGroup, namespace: &str) -> Vec<Value> {
    let mut patches = Vec::new();
    for service in group.spec.services.iter().filter(|service| group.namespace_of(service) == namespace) {
        for port in service.ports() {
            for pool in group.pools(service).iter().filter(|pool| pool.falls_back()) {
                let cluster =
                    |subset: &str| format!("inbound-vip|{}|http/{subset}|{}", port.number, group.host(service));
                let aggregate = aggregate(pool.lane(), &group.spec.baseline, port.protocol, cluster);
                patches.push(addition("SIDECAR_INBOUND", &aggregate));
            }
        }
    }
    patches
}
