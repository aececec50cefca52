//! ASM's resources, as its published types have them (aliyun/alibabacloud-servicemesh-api, `asmswimlanegroup_types.go` and
//! `asmswimlane_types.go`).
//!
//! They are Go structs, so an empty text, list or object is the same as none.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;

use crate::objects::objects;

/// The label of an `ASMSwimLane` that names its group.
pub(super) const GROUP_LABEL: &str = "swimlane-group";

/// `kind: ASMSwimLaneGroup`, `kind: ASMSwimLane` and the others.
#[derive(Deserialize)]
pub(super) struct Object<S> {
    pub(super) metadata: Metadata,
    pub(super) spec: S,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
    /// RFC 3339, in UTC.
    #[serde(default)]
    pub(super) creation_timestamp: Option<String>,
}

objects! {
    SwimLaneGroup {
        services: Vec<ServiceRef>, ingress: Ingress, is_permissive: bool, permissive_mode_configuration: Permissive,
        default_traffic_policy_patch: Value, default_http_route_patch: Value, auto_update: bool,
    }
    ServiceRef {
        name: String, namespace: String, cluster: Cluster, traffic_policy_patch: Value, http_route_patch: Value,
    }
    #[derive(Eq, PartialEq)]
    Cluster { region: String, name: String, id: String }
    Ingress { gateway: GatewayRef, ingress_routing: IngressRouting }
    GatewayRef { name: String, namespace: String, r#type: String }
    IngressRouting { ingress_routing_strategy: String, weighted_routing_rule: WeightedRoutingRule }
    WeightedRoutingRule { hosts: Vec<String>, request_matches: Vec<RequestMatch> }
    /// `fallback_target` is the baseline; that of a service leads from `namespace/service` to a lane.
    Permissive {
        fallback_target: String, service_level_fallback_target: BTreeMap<String, String>, trace_header: String,
        route_header: String,
    }
    SwimLane {
        label_selector: BTreeMap<String, String>, services: Vec<ServiceRef>, ingress_rules: Vec<IngressRule>,
        ingress_weight: IngressWeight,
    }
    IngressRule { online: bool, hosts: Vec<String>, name: String, r#match: RequestMatch, route: IngressRoute }
    RequestMatch { uri: TextMatch, headers: BTreeMap<String, TextMatch> }
    TextMatch { exact: String, prefix: String, regex: String }
    IngressRoute { destination: Destination }
    IngressWeight { destination: Destination, weight: u32 }
    /// The port is 0 if it is not given.
    Destination { host: String, port_num: u16 }
    /// A WasmPlugin: the configuration of its module.
    WasmPlugin { plugin_config: Value }
}

// === impl: what is not given ===

impl TextMatch {
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefix.is_empty() && self.regex.is_empty()
    }
}

impl RequestMatch {
    pub(super) fn is_empty(&self) -> bool {
        self.uri.is_empty() && self.headers.is_empty()
    }
}

impl ServiceRef {
    pub(super) fn namespace(&self) -> &str {
        if self.namespace.is_empty() { "default" } else { &self.namespace }
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = [&self.region, &self.name, &self.id].into_iter().filter(|part| !part.is_empty());
        write!(f, "`{}`", given.map(String::as_str).collect::<Vec<_>>().join("/"))
    }
}
