//! Envoy's aggregate cluster, as far as lanes need it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{document::Protocol, render::names::own_pods};

/// The lane's own pods and, while none of them is healthy, the baseline's (`envoy.clusters.aggregate`).
#[derive(Serialize)]
pub(in super::super) struct Aggregate {
    name: String,
    connect_timeout: &'static str,
    lb_policy: &'static str,
    common_lb_config: Value,
    circuit_breakers: Value,
    cluster_type: ClusterType,
    #[serde(skip_serializing_if = "Option::is_none")]
    typed_extension_protocol_options: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
}

#[derive(Serialize)]
struct ClusterType {
    name: &'static str,
    typed_config: ClusterConfig,
}

#[derive(Serialize)]
struct ClusterConfig {
    #[serde(rename = "@type")]
    kind: &'static str,
    clusters: [String; 2],
}

impl Aggregate {
    /// The cluster of a lane; `cluster` names that of a subset.
    pub(in super::super) fn new(
        lane: &str,
        baseline: &str,
        protocol: Protocol,
        cluster: impl Fn(&str) -> String,
    ) -> Self {
        let typed_config = ClusterConfig {
            kind: "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
            clusters: [cluster(&own_pods(lane)), cluster(baseline)],
        };
        Self {
            name: cluster(lane),
            connect_timeout: "10s",
            lb_policy: "CLUSTER_PROVIDED",
            // Panic would send requests to pods that are known to be unhealthy, instead of to the baseline.
            common_lb_config: json!({"healthy_panic_threshold": {"value": 0}}),
            // Counted on the aggregate. Envoy's default of 3 would lose requests when a pod dies under load.
            circuit_breakers: json!({"thresholds": [{"max_retries": u32::MAX}]}),
            cluster_type: ClusterType { name: "envoy.clusters.aggregate", typed_config },
            typed_extension_protocol_options: protocol_options(protocol),
            metadata: None,
        }
    }

    /// With the services that Istio's telemetry reads of a cluster.
    pub(in super::super) fn telling(self, services: Value) -> Self {
        Self { metadata: Some(json!({"filter_metadata": {"istio": {"services": services}}})), ..self }
    }
}

/// Requests take the protocol of the cluster in the aggregate, but Istio's ALPN filter reads the aggregate's: without, it
/// would announce HTTP/1.1 to pods that are spoken to in HTTP/2.
fn protocol_options(protocol: Protocol) -> Option<Value> {
    match protocol {
        Protocol::Http => None,
        Protocol::Http2 | Protocol::Grpc => Some(json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        })),
    }
}
