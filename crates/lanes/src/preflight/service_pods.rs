//! The group's services that are there, and the pods behind them.

use std::collections::BTreeMap;

use super::{
    asked::{Asked, AskedService},
    cluster::{Cluster, Meta, Named, Pod, Service},
    finding::Object,
};
use crate::document::Lane;

/// A service of the group, as it is in the cluster.
pub(super) struct ServicePods<'a> {
    pub(super) asked: &'a AskedService,
    pub(super) metadata: &'a Meta,
    pub(super) service: &'a Service,
    /// Those that are there to stay.
    pub(super) pods: Vec<&'a Pod>,
}

pub(super) fn find<'a>(asked: &'a Asked<'_>, cluster: &'a Cluster) -> Vec<ServicePods<'a>> {
    let mut by_namespace: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in cluster.pods.iter().filter(|pod| pod.is_live()) {
        by_namespace.entry(&pod.metadata.namespace).or_default().push(pod);
    }
    let found = asked.services.iter().filter_map(|asked| {
        let Named { metadata, spec, .. } = service(cluster, asked)?;
        let near = by_namespace.get(asked.namespace.as_str()).into_iter().flatten().copied();
        let pods = if spec.selector.is_empty() {
            let names = targets(cluster, asked);
            near.filter(|pod| names.contains(&pod.metadata.name.as_str())).collect()
        } else {
            near.filter(|pod| pod.metadata.has_labels(&spec.selector)).collect()
        };
        Some(ServicePods { asked, metadata, service: spec, pods })
    });
    found.collect()
}

pub(super) fn service<'a>(cluster: &'a Cluster, asked: &AskedService) -> Option<&'a Named<Service>> {
    let is_it = |meta: &Meta| meta.name == asked.name && meta.namespace == asked.namespace;
    cluster.services.iter().find(|service| is_it(&service.metadata))
}

/// The pods that somebody has put behind a Service without a selector.
fn targets<'a>(cluster: &'a Cluster, asked: &AskedService) -> Vec<&'a str> {
    let is_its = |meta: &Meta| {
        meta.namespace == asked.namespace && meta.label("kubernetes.io/service-name") == Some(asked.name.as_str())
    };
    let slices = cluster.endpoint_slices.iter().filter(|slice| is_its(&slice.metadata));
    let targets = slices.flat_map(|slice| &slice.endpoints).map(|endpoint| &endpoint.target_ref);
    targets.filter(|target| target.kind == "Pod").map(|target| target.name.as_str()).collect()
}

impl From<&ServicePods<'_>> for Object {
    fn from(found: &ServicePods<'_>) -> Self {
        ("Service", found.metadata).into()
    }
}

impl<'a> ServicePods<'a> {
    /// Those that a lane's labels select.
    pub(super) fn of_lane(&self, lane: &Lane) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().copied().filter(|pod| pod.metadata.has_labels(&lane.labels))
    }

    /// Those of no lane.
    pub(super) fn of_no_lane(&self, lanes: &[Lane]) -> Vec<&'a Pod> {
        let is_of_one = |pod: &Pod| lanes.iter().any(|lane| pod.metadata.has_labels(&lane.labels));
        self.pods.iter().copied().filter(|pod| !is_of_one(pod)).collect()
    }
}
