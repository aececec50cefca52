//! What all resources have in common.

use std::collections::BTreeMap;

use serde::Serialize;

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
    labels: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, &'static str>,
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

impl<K: Kind> Resource<K> {
    pub(super) fn new(name: impl Into<String>, namespace: &str, spec: K) -> Self {
        let metadata = Metadata {
            name: name.into(),
            namespace: namespace.to_owned(),
            labels: [("app.kubernetes.io/managed-by", "lanes")].into(),
            annotations: BTreeMap::new(),
        };
        Self { api_version: K::API_VERSION, kind: K::KIND, metadata, spec }
    }

    pub(super) fn annotated(mut self, key: &'static str, value: &'static str) -> Self {
        self.metadata.annotations.insert(key, value);
        self
    }
}
