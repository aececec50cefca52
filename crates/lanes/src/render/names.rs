//! The names that proxies know things by. Istio gives them; without Istio they are the same.

use crate::document::{LaneGroup, Service};

impl LaneGroup {
    /// The name that every cluster and subset of a service hangs on.
    pub(super) fn host(&self, service: &str) -> String {
        format!("{service}.{}.svc.cluster.local", self.metadata.namespace)
    }

    /// The cluster of one of a service's subsets.
    pub(super) fn cluster(&self, service: &Service, subset: &str) -> String {
        format!("outbound|{}|{subset}|{}", service.port, self.host(&service.name))
    }
}

/// The subset of a lane's own pods, which a permissive lane tries first.
pub(super) fn own_pods(lane: &str) -> String {
    format!("{lane}-only")
}
