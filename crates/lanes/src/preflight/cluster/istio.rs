//! Istio's objects, and the Gateway API's.

use super::kubernetes::Labels;
use crate::objects::objects;

objects! {
    DestinationRule {
        host: String, traffic_policy: Option<TrafficPolicy>, subsets: Vec<Subset>, export_to: Vec<String>,
        workload_selector: Option<Selector>,
    }
    Subset { name: String, traffic_policy: TrafficPolicy }
    TrafficPolicy {
        outlier_detection: Option<OutlierDetection>, port_level_settings: Vec<PortSettings>, tls: Option<Tls>,
    }
    OutlierDetection { min_health_percent: u32 }
    PortSettings { port: Port, outlier_detection: Option<OutlierDetection> }
    Tls { mode: String }
    Port { number: u16, protocol: String }
    Selector { match_labels: Labels }
    VirtualService { hosts: Vec<String>, gateways: Vec<String>, http: Vec<HttpRoute>, export_to: Vec<String> }
    HttpRoute { r#match: Vec<HttpMatch>, route: Vec<Destination> }
    HttpMatch { port: Option<u16> }
    Destination { destination: Host }
    Host { host: String, port: Option<Port> }
    Gateway { selector: Labels, servers: Vec<Server> }
    Server { port: Port, hosts: Vec<String>, tls: ServerTls }
    ServerTls { https_redirect: bool }
    Sidecar { workload_selector: Option<WorkloadSelector>, egress: Vec<Egress> }
    WorkloadSelector { labels: Labels }
    Egress { hosts: Vec<String> }
    ServiceEntry { hosts: Vec<String>, export_to: Vec<String> }
    EnvoyFilter { config_patches: Vec<ConfigPatch> }
    ConfigPatch { apply_to: String, r#match: PatchMatch }
    PatchMatch { cluster: ClusterMatch }
    ClusterMatch { name: String, service: String }
    /// A WasmPlugin or a TrafficExtension.
    FilterResource {
        selector: Selector, target_ref: Option<Reference>, target_refs: Vec<Reference>, phase: String, priority: i64,
    }
    Reference { kind: String, name: String, namespace: Option<String>, port: Option<u16> }
    /// An HTTPRoute or a GRPCRoute.
    Route { parent_refs: Vec<Reference>, rules: Vec<RouteRule> }
    RouteRule { backend_refs: Vec<Reference> }
}
