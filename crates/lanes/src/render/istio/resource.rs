//! What all resources have in common.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Stage;
use crate::document::LaneGroup;

/// The label that says who wrote a resource: `lanes`.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label with the lane group's name.
pub const GROUP: &str = "trafficlanes.dev/group";
/// The label with the lane group's namespace.
pub const GROUP_NAMESPACE: &str = "trafficlanes.dev/group-namespace";
/// The label with the stage that a resource is applied in.
pub const STAGE: &str = "trafficlanes.dev/stage";
const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// A resource of Kubernetes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<K> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: K,
}

/// The specification of a kind of resource.
pub(super) trait Kind: Serialize {
    const API_VERSION: &'static str;
    const KIND: &'static str;
}

#[derive(Serialize)]
struct Metadata {
    name: String,
    namespace: String,
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, &'static str>,
}

/// Whose a resource is, and when it is applied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Owner {
    name: String,
    namespace: String,
    stage: Stage,
}

/// A resource of another kind that this one is attached to.
#[derive(Serialize)]
pub(super) struct TargetRef {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
}

/// Pods by their labels.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: BTreeMap<String, String>,
}

impl Owner {
    pub(super) fn new(group: &LaneGroup, stage: Stage) -> Self {
        Self { name: group.metadata.name.clone(), namespace: group.metadata.namespace.clone(), stage }
    }
}

impl<K: Kind> Resource<K> {
    pub(super) fn new(owner: &Owner, name: impl Into<String>, namespace: &str, spec: K) -> Self {
        let labels = [
            (MANAGED_BY, "lanes".to_owned()),
            (GROUP, owner.name.clone()),
            (GROUP_NAMESPACE, owner.namespace.clone()),
            (STAGE, owner.stage.name().to_owned()),
        ];
        let metadata = Metadata {
            name: name.into(),
            namespace: namespace.to_owned(),
            labels: labels.into(),
            annotations: [(SYNC_WAVE, owner.stage.wave())].into(),
        };
        Self { api_version: K::API_VERSION, kind: K::KIND, metadata, spec }
    }

    pub(super) fn annotated(mut self, key: &'static str, value: &'static str) -> Self {
        self.metadata.annotations.insert(key, value);
        self
    }
}

/// The namespaces that a resource is for: those of the callers or, if the document lists none, all.
pub(super) fn exports(group: &LaneGroup) -> Vec<String> {
    let callers = &group.spec.mesh.callers;
    if callers.is_empty() {
        return vec!["*".to_owned()];
    }
    let gateway = group.spec.gateway.iter().map(|_| group.gateway_pods().0);
    let mut namespaces: Vec<String> = callers.iter().cloned().chain(gateway).collect();
    namespaces.extend(group.namespaces().into_iter().map(str::to_owned));
    namespaces.sort();
    namespaces.dedup();
    namespaces
}
