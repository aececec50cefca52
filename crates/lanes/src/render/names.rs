//! The names that proxies know things by. Istio gives them; without Istio they are the same.

use super::istio::lane_service;
use crate::document::{LaneGroup, Service, ServicePort};

impl LaneGroup {
    /// The name that every cluster and subset of a service hangs on.
    pub(super) fn host(&self, service: &Service) -> String {
        self.host_of(&service.name, self.namespace_of(service))
    }

    /// The name of any Kubernetes service.
    pub(super) fn host_of(&self, service: &str, namespace: &str) -> String {
        format!("{service}.{namespace}.svc.{}", self.spec.mesh.cluster_domain)
    }

    /// The cluster of one of a service's subsets.
    pub(super) fn cluster(&self, service: &Service, port: &ServicePort, subset: &str) -> String {
        format!("outbound|{}|{subset}|{}", port.number, self.host(service))
    }
}

/// The hosts that clusters of a service have: its own, and with Gateway API those of its lanes' Services.
pub(crate) fn hosts(group: &LaneGroup, service: &Service) -> Vec<String> {
    let of_lanes = lane_service::names(group, service);
    let of_lanes = of_lanes.into_iter().map(|(name, _)| group.host_of(&name, group.namespace_of(service)));
    of_lanes.chain([group.host(service)]).collect()
}

/// The subset of a lane's own pods, which a permissive lane tries first.
pub(super) fn own_pods(lane: &str) -> String {
    format!("{lane}-only")
}
