//! ASM's resources, as its published types have them (aliyun/alibabacloud-servicemesh-api, `asmswimlanegroup_types.go` and
//! `asmswimlane_types.go`), and what else is read along with them.
//!
//! They are Go structs, so an empty text, list or object is the same as none.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;

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

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SwimLaneGroup {
    pub(super) services: Vec<ServiceRef>,
    pub(super) ingress: Ingress,
    pub(super) is_permissive: bool,
    pub(super) permissive_mode_configuration: Permissive,
    pub(super) default_traffic_policy_patch: Value,
    pub(super) default_http_route_patch: Value,
    pub(super) auto_update: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServiceRef {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) cluster: Cluster,
    pub(super) traffic_policy_patch: Value,
    pub(super) http_route_patch: Value,
}

#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(super) struct Cluster {
    pub(super) region: String,
    pub(super) name: String,
    pub(super) id: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Ingress {
    pub(super) gateway: GatewayRef,
    pub(super) ingress_routing: IngressRouting,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct GatewayRef {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) r#type: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct IngressRouting {
    pub(super) ingress_routing_strategy: String,
    pub(super) weighted_routing_rule: WeightedRoutingRule,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WeightedRoutingRule {
    pub(super) hosts: Vec<String>,
    pub(super) request_matches: Vec<RequestMatch>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Permissive {
    /// The baseline.
    pub(super) fallback_target: String,
    /// From `namespace/service` to a lane.
    pub(super) service_level_fallback_target: BTreeMap<String, String>,
    pub(super) trace_header: String,
    pub(super) route_header: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SwimLane {
    pub(super) label_selector: BTreeMap<String, String>,
    pub(super) services: Vec<ServiceRef>,
    pub(super) ingress_rules: Vec<IngressRule>,
    pub(super) ingress_weight: IngressWeight,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct IngressRule {
    pub(super) online: bool,
    pub(super) hosts: Vec<String>,
    pub(super) name: String,
    pub(super) r#match: RequestMatch,
    pub(super) route: IngressRoute,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RequestMatch {
    pub(super) uri: TextMatch,
    pub(super) headers: BTreeMap<String, TextMatch>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TextMatch {
    pub(super) exact: String,
    pub(super) prefix: String,
    pub(super) regex: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct IngressRoute {
    pub(super) destination: Destination,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct IngressWeight {
    pub(super) destination: Destination,
    pub(super) weight: u32,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Destination {
    pub(super) host: String,
    /// 0 if it is not given.
    pub(super) port_num: u16,
}

/// A Kubernetes Service: its ports.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    pub(super) ports: Vec<ServicePort>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServicePort {
    pub(super) name: String,
    pub(super) app_protocol: String,
    pub(super) port: u16,
}

/// An Istio Gateway, which is what the gateway of a lane group is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Gateway {
    pub(super) selector: BTreeMap<String, String>,
    pub(super) servers: Vec<Server>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Server {
    pub(super) port: ServerPort,
    /// Hosts, some with the namespace whose VirtualServices may name them.
    pub(super) hosts: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ServerPort {
    pub(super) number: u16,
    pub(super) protocol: String,
}

/// A WasmPlugin: the configuration of its module.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WasmPlugin {
    pub(super) plugin_config: Value,
}

// === impl IngressWeight and others: what is not given ===

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
