//! What the mesh is like.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// What the mesh is like that the lane group is applied to. Every field has a default.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Mesh {
    /// The resources that say where requests go.
    #[serde(default)]
    pub routing: Routing,
    /// The version of Istio; unless given, what is rendered is for all of them.
    pub istio: Option<IstioVersion>,
    /// Whether waypoints take part, beside sidecars and gateways.
    #[serde(default)]
    pub ambient: bool,
    /// The namespace whose EnvoyFilters every proxy gets (MeshConfig's `rootNamespace`).
    #[serde(default = "istio_system")]
    pub root_namespace: String,
    /// The domain of the cluster's services (MeshConfig's `trustDomain` is another thing).
    #[serde(default = "cluster_local")]
    pub cluster_domain: String,
    /// The namespaces that call the services, beside the services' own and the gateway's; every namespace unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<String>,
}

/// The resources that say where requests go.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub enum Routing {
    /// VirtualServices, and a subset of a DestinationRule for each lane.
    #[default]
    VirtualService,
    /// HTTPRoutes of Gateway API, and a Service for each lane: no DestinationRule or VirtualService of others can break them.
    #[serde(rename = "gatewayAPI")]
    GatewayApi,
}

/// A version of Istio.
#[derive(
    Clone, Copy, Debug, Deserialize, Display, EnumString, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
pub enum IstioVersion {
    /// 1.28.
    #[serde(rename = "1.28")]
    #[strum(serialize = "1.28")]
    V1_28,
    /// 1.29.
    #[serde(rename = "1.29")]
    #[strum(serialize = "1.29")]
    V1_29,
    /// 1.30.
    #[serde(rename = "1.30")]
    #[strum(serialize = "1.30")]
    V1_30,
    /// 1.31.
    #[serde(rename = "1.31")]
    #[strum(serialize = "1.31")]
    V1_31,
}

impl IstioVersion {
    /// Whether it has TrafficExtension, which takes the place of WasmPlugin.
    pub fn has_traffic_extension(self) -> bool {
        self >= Self::V1_30
    }
}

impl Mesh {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Mesh {
    fn default() -> Self {
        Self {
            routing: Routing::default(),
            istio: None,
            ambient: false,
            root_namespace: istio_system(),
            cluster_domain: cluster_local(),
            callers: Vec::new(),
        }
    }
}

fn istio_system() -> String {
    "istio-system".to_owned()
}

fn cluster_local() -> String {
    "cluster.local".to_owned()
}
