//! What an Envoy starts with (`envoy.config.bootstrap.v3.Bootstrap`).

use serde_json::{Value, json};

use super::{
    File, Options,
    clusters::{self, CLUSTERS},
    file::config_source,
    listener::{self, Listener},
    placement::{Placement, Pod},
    routes,
};
use crate::{
    document::{Lane, LaneGroup, Propagation},
    json::{given, with},
    render::{Module, filter::Filter},
};

const ADMIN_PORT: u16 = 9901;
/// Where the statistics of a pod with a network of its own are, for Prometheus; Istio's number.
pub const STATS_PORT: u16 = 15090;
/// The port that an application has as its HTTP proxy; Istio's number for what leaves a pod.
pub const OUTBOUND_PORT: u16 = 15001;
/// Ports below need privileges.
const FIRST_FREE_PORT: u16 = 1024;

pub(super) fn gateway(group: &LaneGroup, options: &Options, filters: &[Filter]) -> anyhow::Result<Option<File>> {
    let spec = &group.spec;
    let Some(gateway) = &spec.gateway else { return Ok(None) };
    let (address, local) = options.placement.gateway();
    let port = unprivileged(gateway.ports().first().map_or(80, |port| port.number));
    let listener = Listener { name: "gateway", direction: "OUTBOUND", address: &address, port };
    let connections = json!({
        // This is the edge: a request's x-forwarded-for and x-request-id are not believed.
        "use_remote_address": true,
        // Nor is a path as it was written: conditions on it, of routes and of the filter, hold for the path that the
        // application sees. Envoy's recommendations for an edge; a client that escapes a slash is told the path.
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "rds": listener::rds(routes::GATEWAY),
    });
    let node = json!({"id": "gateway", "cluster": "gateway", "metadata": {"LABELS": gateway.selector}});
    let comment = format!(
        "The gateway of the lane group {}: what enters the lanes is in {}.yaml.",
        group.metadata.name,
        routes::GATEWAY
    );
    let listeners = vec![listener.render(connections, filters)];
    File::new("gateway.yaml", comment, &bootstrap(group, options, node, &local, filters, listeners, Vec::new()))
        .map(Some)
}

pub(super) fn sidecar(group: &LaneGroup, pod: &Pod, options: &Options, filters: &[Filter]) -> anyhow::Result<File> {
    let inbound = Listener { name: "inbound", direction: "INBOUND", address: &pod.inbound, port: pod.port.number };
    let outbound = Listener { name: "outbound", direction: "OUTBOUND", address: &pod.local, port: OUTBOUND_PORT };
    let application = json!({"match": {"prefix": "/"}, "route": {"cluster": clusters::APPLICATION}});
    let host = json!({
        "name": "application",
        "domains": ["*"],
        "routes": [application],
        "virtual_clusters": others(group, pod),
    });
    let to_application = json!({"route_config": {"virtual_hosts": [given(host)]}});
    let to_services = json!({"rds": listener::rds(&routes::of_lane(&group.spec, &pod.lane))});
    let listeners = vec![inbound.render(to_application, filters), outbound.render(to_services, filters)];

    let labels = with(json!({"app": pod.service.name}), json!(pod.lane.labels));
    let node = json!({"id": pod.name, "cluster": pod.service.name, "metadata": {"LABELS": labels}});
    let comment = format!(
        "The sidecar of {} in lane {}. Inbound, it hands requests for the service's port to the application;\noutbound, it is \
        the application's HTTP proxy, and sends each request to its lane.",
        pod.service.name, pod.lane.name
    );
    let application = clusters::application(pod, options);
    let bootstrap = bootstrap(group, options, node, &pod.local, filters, listeners, vec![application]);
    File::new(format!("{}.yaml", pod.name), comment, &bootstrap)
}

/// Counts requests of other lanes that this pod answers: those that fell back, if it is the baseline's.
fn others(group: &LaneGroup, pod: &Pod) -> Vec<Value> {
    let spec = &group.spec;
    if spec.propagation() == Propagation::SourceLabels {
        return Vec::new();
    }
    let others = spec.lanes.iter().filter(|lane| lane.name != pod.lane.name);
    let counted = |lane: &Lane| {
        let (header, tag) = spec.tag(lane);
        json!({"name": lane.name, "headers": [routes::header(&header, &tag)]})
    };
    others.map(counted).collect()
}

fn bootstrap(
    group: &LaneGroup,
    options: &Options,
    node: Value,
    admin: &str,
    filters: &[Filter],
    mut listeners: Vec<Value>,
    mut clusters: Vec<Value>,
) -> Value {
    if let Placement::Hosts(_) = options.placement {
        listeners.push(listener::stats(STATS_PORT));
        clusters.push(clusters::admin(admin, ADMIN_PORT));
    }
    let own = filters.iter().flat_map(|filter| labels(filter.module));
    let of_filters = (!filters.is_empty()).then_some(&"plugin").into_iter().chain(own).map(|label| stats_tag(label));
    let tags: Vec<Value> = [cluster_name(&group.spec.mesh.cluster_domain)].into_iter().chain(of_filters).collect();
    given(json!({
        "node": node,
        "admin": {"address": {"socket_address": {"address": admin, "port_value": ADMIN_PORT}}},
        "stats_config": { "stats_tags": tags },
        "dynamic_resources": {"cds_config": config_source(CLUSTERS)},
        "static_resources": given(json!({"listeners": listeners, "clusters": clusters})),
    }))
}

/// Takes the whole name of a lane's cluster for one label, as Istio's bootstrap does. Envoy's own label ends at the first dot.
fn cluster_name(domain: &str) -> Value {
    let domain = domain.replace('.', r"\.");
    json!({"tag_name": "cluster_name", "regex": format!(r"^cluster\.((.+?(\..+?\.svc\.{domain})?)\.)")})
}

/// The labels of a filter's counters, beside that of the plug-in.
fn labels(module: Module) -> &'static [&'static str] {
    match module {
        Module::HashTagging | Module::HashTaggingCookie => &["rule", "tag_value", "reason"],
        Module::BaggagePropagation => &["action"],
        Module::TracePropagation => &["result"],
    }
}

/// Takes a label out of a counter's name, as Istio's bootstrap does for what is named in `extraStatTags`.
fn stats_tag(label: &str) -> Value {
    json!({"tag_name": label, "regex": format!(r"({label}=\.=(.*?);\.;)")})
}

/// A port that needs no privileges, as the one behind the service of Istio's own gateway: 8080 for 80, 8443 for 443.
fn unprivileged(port: u16) -> u16 {
    if port < FIRST_FREE_PORT { port + 8000 } else { port }
}
