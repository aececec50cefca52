//! EnvoyFilters: a permissive lane's subset falls back to the baseline.

use serde_json::{Value, json};

use super::{File, Stage, lane_service, resource::Kind};
use crate::{
    document::{LaneGroup, Protocol, Routing, Service, ServicePort},
    json::{given, with},
    render::names::own_pods,
};

mod hashing;
mod mirror;
mod retries;

pub(super) use hashing::file as hashing;
pub(super) use mirror::{of_http_routes as mirror_of_http_routes, of_virtual_service as mirror_of_virtual_service};
pub(super) use retries::file as retries;

/// Behind those of others, which are 0 unless they say so: what they change of a cluster that is replaced here is gone.
const PRIORITY: i32 = 10;
const COMMENT: &str = "Permissive lanes: the cluster that a lane's requests go to is an aggregate over the lane's own pods and, while it has\n\
    none, the baseline's. Without this file the lanes are strict: 503 where one lacks a service. It is applied before the\n\
    routes, and removed after them.";

/// The waypoint of a namespace, as `istioctl waypoint apply` calls it.
const WAYPOINT: &str = "waypoint";

/// One EnvoyFilter per service, with the patches of all its lanes.
pub(super) fn fallback(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Clusters, "20-fallback.yaml", COMMENT);
    for service in &group.spec.services {
        let patches = patches(group, service);
        if !patches.is_empty() {
            let name = format!("{}.{}.lanes", group.namespace_of(service), service.name);
            file.add(Kind::ENVOY_FILTER, name, &group.spec.mesh.root_namespace, of_patches(&[], &patches))?;
        }
    }
    if group.spec.mesh.ambient {
        add_for_waypoints(&mut file, group)?;
    }
    Ok(file)
}

/// An EnvoyFilter for what `targets` refer to; for every proxy if there are none.
fn of_patches(targets: &[Value], patches: &[Value]) -> Value {
    given(json!({"priority": PRIORITY, "targetRefs": targets, "configPatches": patches}))
}

/// The patch that adds a cluster.
fn addition(context: &str, cluster: &Value) -> Value {
    let patch = json!({"operation": "ADD", "value": cluster});
    json!({"applyTo": "CLUSTER", "match": {"context": context}, "patch": patch})
}

/// The cluster of a lane: its own pods and, while none of them is healthy, the baseline's (`envoy.clusters.aggregate`).
/// `cluster` names the cluster of a subset.
fn aggregate(lane: &str, baseline: &str, protocol: Protocol, cluster: impl Fn(&str) -> String) -> Value {
    let http2 = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    // Requests take the protocol of the cluster in the aggregate, but Istio's ALPN filter reads the aggregate's: without, it
    // would announce HTTP/1.1 to pods that are spoken to in HTTP/2.
    let protocol_options = (protocol != Protocol::Http).then(|| {
        json!({http2: {
            "@type": format!("type.googleapis.com/{http2}"),
            "explicit_http_config": {"http2_protocol_options": {}},
        }})
    });
    given(json!({
        "name": cluster(lane),
        "connect_timeout": "10s",
        "lb_policy": "CLUSTER_PROVIDED",
        // Panic would send requests to pods that are known to be unhealthy, instead of to the baseline.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        // Counted on the aggregate. Envoy's default of 3 would lose requests when a pod dies under load.
        "circuit_breakers": {"thresholds": [{"max_retries": u32::MAX}]},
        "cluster_type": {
            "name": "envoy.clusters.aggregate",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                "clusters": [cluster(&own_pods(lane)), cluster(baseline)],
            },
        },
        "typed_extension_protocol_options": protocol_options,
    }))
}

fn patches(group: &LaneGroup, service: &Service) -> Vec<Value> {
    let mut patches = Vec::new();
    for port in service.ports() {
        for pool in group.pools(service).iter().filter(|pool| pool.falls_back()) {
            let Replaced { cluster, host, name } = Replaced::new(group, service, &port, pool.lane());
            // Merging is not possible: what Istio generates for the cluster's endpoints would remain, and Envoy refuses it.
            if !group.spec.mesh.ambient {
                let r#match = json!({"context": "ANY", "cluster": cluster});
                patches.push(json!({"applyTo": "CLUSTER", "match": r#match, "patch": {"operation": "REMOVE"}}));
            }
            let named = |pods: &str| match group.spec.mesh.routing {
                Routing::VirtualService => group.cluster(service, &port, pods),
                Routing::GatewayApi => lane_service::cluster(group, service, &port, pods),
            };
            let aggregate = aggregate(pool.lane(), &group.spec.baseline, port.protocol, named);
            // Istio's telemetry reads of a cluster which services it is of.
            let services = json!([{"host": host, "name": name, "namespace": group.namespace_of(service)}]);
            let metadata = json!({"metadata": {"filter_metadata": {"istio": {"services": services}}}});
            patches.push(addition("ANY", &with(aggregate, metadata)));
        }
    }
    patches
}

/// The cluster of Istio's that an aggregate takes the place of.
struct Replaced {
    cluster: Value,
    host: String,
    name: String,
}

impl Replaced {
    fn new(group: &LaneGroup, service: &Service, port: &ServicePort, lane: &str) -> Self {
        match group.spec.mesh.routing {
            Routing::VirtualService => {
                let host = group.host(service);
                let cluster = json!({"service": host, "portNumber": port.number, "subset": lane});
                Self { cluster, host, name: service.name.clone() }
            }
            Routing::GatewayApi => {
                let cluster = json!({"name": lane_service::cluster(group, service, port, lane)});
                let host = lane_service::host(group, service, lane);
                Self { cluster, host, name: lane_service::name(service, lane) }
            }
        }
    }
}

/// One EnvoyFilter for each namespace's waypoint: it must name what it is attached to.
fn add_for_waypoints(file: &mut File, group: &LaneGroup) -> anyhow::Result<()> {
    for namespace in group.namespaces() {
        let patches = additions(group, namespace);
        if !patches.is_empty() {
            let target = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": WAYPOINT});
            let name = format!("{}.{}.waypoint-lanes", group.metadata.namespace, group.metadata.name);
            file.add(Kind::ENVOY_FILTER, name, namespace, of_patches(&[target], &patches))?;
        }
    }
    Ok(())
}

/// A waypoint keeps the clusters that Istio generates whatever an EnvoyFilter removes, and only takes additional ones. So the
/// lane's subset is in no DestinationRule, and its cluster is added in every proxy.
fn additions(group: &LaneGroup, namespace: &str) -> Vec<Value> {
    let mut patches = Vec::new();
    for service in group.spec.services.iter().filter(|service| group.namespace_of(service) == namespace) {
        for port in service.ports() {
            for pool in group.pools(service).iter().filter(|pool| pool.falls_back()) {
                let cluster =
                    |subset: &str| format!("inbound-vip|{}|http/{subset}|{}", port.number, group.host(service));
                let aggregate = aggregate(pool.lane(), &group.spec.baseline, port.protocol, cluster);
                patches.push(addition("SIDECAR_INBOUND", &aggregate));
            }
        }
    }
    patches
}
