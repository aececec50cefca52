//! Clusters: the lanes of every service, as every proxy sees them (CDS).

use serde_json::{Value, json};

use super::{
    File, Options,
    file::typed,
    placement::{Placement, Pod},
};
use crate::{
    document::{Lane, LaneGroup, Membership, Protocol},
    json::{given, with},
    render::names::own_pods,
};

/// The file that all proxies watch.
pub(super) const CLUSTERS: &str = "clusters.yaml";
/// The cluster of a sidecar's own application.
pub(super) const APPLICATION: &str = "application";
/// The cluster of a proxy's own administration interface.
pub(super) const ADMIN: &str = "admin";
const CONNECT_TIMEOUT: &str = "1s";

pub(super) fn file(group: &LaneGroup, pods: &[Pod], options: &Options) -> anyhow::Result<File> {
    let mut clusters = Vec::new();
    for pod in pods {
        let lane = &pod.lane.name;
        if group.pool(&pod.service, lane).falls_back() {
            clusters.push(of_pods(group.cluster(&pod.service, &pod.port, &own_pods(lane)), pod, options));
            clusters.push(aggregate(group, pod));
        } else {
            clusters.push(of_pods(group.cluster(&pod.service, &pod.port, lane), pod, options));
        }
    }
    File::watched(CLUSTERS, &comment(group), clusters)
}

/// The application behind a sidecar.
pub(super) fn application(pod: &Pod, options: &Options) -> Value {
    let cluster = json!({
        "name": APPLICATION,
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": endpoints(APPLICATION, &pod.local, options.application_port),
    });
    speaking(pod.port.protocol, cluster)
}

/// The Envoy's own administration interface.
pub(super) fn admin(address: &str, port: u16) -> Value {
    json!({"name": ADMIN, "connect_timeout": CONNECT_TIMEOUT, "load_assignment": endpoints(ADMIN, address, port)})
}

/// The pods of a lane that are healthy.
fn of_pods(name: String, pod: &Pod, options: &Options) -> Value {
    // By default a lane spills into the baseline when less than 71 % of its pods are healthy. With this, one will do.
    let policy = json!({"policy": {"overprovisioning_factor": 100_000}});
    let assignment = with(endpoints(&name, &pod.host, pod.port.number), policy);
    let (kind, family, rate) = match options.placement {
        Placement::Loopback => ("STATIC", None, None),
        Placement::Hosts(_) => ("STRICT_DNS", Some("V4_PREFERRED"), Some("1s")),
    };
    let cluster = given(json!({
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": name,
        "connect_timeout": CONNECT_TIMEOUT,
        "type": kind,
        "dns_lookup_family": family,
        "dns_refresh_rate": rate,
        "common_lb_config": common_lb_config(),
        "health_checks": [health_check(pod.port.protocol, options)],
        "load_assignment": assignment,
    }));
    speaking(pod.port.protocol, cluster)
}

/// The lane's own pods and, while none of them is healthy, the baseline's.
fn aggregate(group: &LaneGroup, Pod { service, port, lane, .. }: &Pod) -> Value {
    let subsets = [own_pods(&lane.name), group.spec.baseline.clone()];
    let clusters = subsets.map(|subset| group.cluster(service, port, &subset));
    let config = typed("envoy.extensions.clusters.aggregate.v3.ClusterConfig", json!({ "clusters": clusters }));
    json!({
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": group.cluster(service, port, &lane.name),
        "connect_timeout": CONNECT_TIMEOUT,
        "lb_policy": "CLUSTER_PROVIDED",
        "common_lb_config": common_lb_config(),
        // Counted on the cluster that is routed to. The default of 3 would lose requests when a pod dies under load.
        "circuit_breakers": {"thresholds": [{"max_retries": u32::MAX}]},
        "cluster_type": {"name": "envoy.clusters.aggregate", "typed_config": config},
    })
}

/// Of dead pods none is tried: the aggregate must see that there is none in order to fall back, and at once, not collected
/// over a second.
fn common_lb_config() -> Value {
    json!({"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"})
}

fn health_check(protocol: Protocol, options: &Options) -> Value {
    // Without `host` it would be the cluster's name, which is none: the answer would be 400.
    let http = json!({"path": options.health_path, "host": "health-check"});
    let kind = match protocol {
        Protocol::Http => json!({ "http_health_check": http }),
        Protocol::Http2 => json!({"http_health_check": with(http, json!({"codec_client_type": "HTTP2"}))}),
        Protocol::Grpc => json!({"grpc_health_check": {}}),
    };
    let check = json!({
        "timeout": "2s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
    });
    with(check, kind)
}

fn endpoints(cluster: &str, host: &str, port: u16) -> Value {
    let address = json!({"socket_address": {"address": host, "port_value": port}});
    json!({"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]})
}

fn speaking(protocol: Protocol, cluster: Value) -> Value {
    if protocol == Protocol::Http {
        return cluster;
    }
    let http2 = json!({"explicit_http_config": {"http2_protocol_options": {}}});
    let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    with(cluster, json!({"typed_extension_protocol_options": {kind: typed(kind, http2)}}))
}

fn comment(group: &LaneGroup) -> String {
    let spec = &group.spec;
    let every = "The services, and the lanes of each, as every proxy of the mesh sees them (CDS).";
    let found = "A pod that appears, dies or comes back is noticed by the health checks.";
    match spec.lanes.iter().find(|lane| group.falls_back() && lane.name != spec.baseline) {
        None => format!("{every} {found}"),
        Some(Lane { name, .. }) => format!(
            "{every} Of a service\n\n  {baseline} is its pods of the baseline lane\n  {name}-only is its pods of lane {name}, if \
            there are any\n  {name} is where lane {name} sends its requests: {name}-only and, as long as none of these is \
            healthy, {baseline}\n\n{found}\n{members}",
            baseline = spec.baseline,
            members = match spec.membership {
                Membership::Discovered =>
                    "Every lane is there for every service, whether or not it holds the service today.",
                Membership::Declared => "A lane is there for the services that it names.",
            }
        ),
    }
}
