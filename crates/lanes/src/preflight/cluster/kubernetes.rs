//! Kubernetes' own objects.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::objects::objects;

pub(crate) type Labels = BTreeMap<String, String>;

objects! {
    Meta {
        name: String, namespace: String, labels: Labels, annotations: Labels, creation_timestamp: String,
        deletion_timestamp: Option<String>, owner_references: Vec<Owner>,
    }
    Owner { kind: String, name: String, controller: bool }
    Namespace { metadata: Meta, status: Status }
    Status { phase: String, conditions: Vec<Condition> }
    Condition { r#type: String, status: String }
    Service {
        r#type: String, #[serde(rename = "clusterIP")] cluster_ip: String, external_name: String, selector: Labels,
        ports: Vec<ServicePort>, traffic_distribution: String, internal_traffic_policy: String,
        publish_not_ready_addresses: bool,
    }
    ServicePort {
        name: String, port: u16, protocol: String, app_protocol: Option<String>, target_port: Option<IntOrName>,
    }
    Pod { metadata: Meta, spec: PodSpec, status: Status }
    PodSpec { containers: Vec<Container>, init_containers: Vec<Container>, host_network: bool }
    Container { name: String, image: String, ports: Vec<ContainerPort>, env: Vec<Variable> }
    ContainerPort { name: String, container_port: u16 }
    Variable { name: String, value: String }
    EndpointSlice { metadata: Meta, endpoints: Vec<Endpoint> }
    Endpoint { target_ref: Owner }
    Deployment { template: Template }
    Template { metadata: Meta, spec: PodSpec }
    /// A ConfigMap with the mesh's configuration.
    MeshConfigMap { metadata: Meta, data: BTreeMap<String, String> }
    LabelSelector { match_labels: Labels, match_expressions: Vec<Expression> }
    Expression { key: String, operator: String, values: Vec<String> }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum IntOrName {
    Int(u16),
    Name(String),
}

// === impl Meta ===

impl Meta {
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    pub(crate) fn has_labels(&self, wanted: &Labels) -> bool {
        wanted.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }
}

// === impl Pod ===

impl Pod {
    /// Whether it is there to stay: a Service sends nothing to pods that are going, or that have done their work.
    pub(crate) fn is_live(&self) -> bool {
        self.metadata.deletion_timestamp.is_none() && !matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|condition| condition.r#type == "Ready" && condition.status == "True")
    }

    pub(crate) fn all_containers(&self) -> impl Iterator<Item = &Container> {
        self.spec.containers.iter().chain(&self.spec.init_containers)
    }

    /// What made it: without the part of a ReplicaSet's name that changes with every version.
    pub(crate) fn workload(&self) -> &str {
        let owner = self.metadata.owner_references.iter().find(|owner| owner.controller);
        match (owner, self.metadata.label("pod-template-hash")) {
            (Some(owner), Some(hash)) if owner.kind == "ReplicaSet" => {
                owner.name.strip_suffix(hash).and_then(|name| name.strip_suffix('-')).unwrap_or(&owner.name)
            }
            (Some(owner), _) => &owner.name,
            (None, _) => &self.metadata.name,
        }
    }
}

// === impl Deployment ===

impl Deployment {
    /// Whether it is Istio's control plane.
    pub(crate) fn is_istiod(object: &Value) -> bool {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = text("/metadata/name");
        text("/metadata/labels/app") == "istiod" || name == "istiod" || name.starts_with("istiod-")
    }
}

// === impl MeshConfigMap ===

impl MeshConfigMap {
    /// `istio`, or `istio-` and a revision; there are others with such a name, but only these have a mesh in them.
    pub(crate) fn is_one(object: &Value) -> bool {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        (name == "istio" || name.starts_with("istio-")) && object.pointer("/data/mesh").is_some()
    }
}

// === impl LabelSelector ===

impl LabelSelector {
    pub(crate) fn selects(&self, labels: &Labels) -> bool {
        let holds = |expression: &Expression| {
            let value = labels.get(&expression.key);
            match expression.operator.as_str() {
                "In" => value.is_some_and(|value| expression.values.contains(value)),
                "NotIn" => value.is_none_or(|value| !expression.values.contains(value)),
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        };
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(holds)
    }
}
