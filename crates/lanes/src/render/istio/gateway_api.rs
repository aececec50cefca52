//! The ingress by Gateway API: a Gateway, and leave to send requests to services of other namespaces.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    File, Stage,
    envoy_gateway::backend,
    http_route::{self, HttpRoute},
    implementation::Implementation,
    lane_service,
    resource::Kind,
};
use crate::{
    document::{Gateway, GatewayPort, LaneGroup, Service},
    json::given,
};

const COMMENT: &str = "What enters the lanes. Gateway API takes the most specific rule, whatever the order: where a later route would win\n\
    over an earlier one, the earlier has the later's conditions too.";

/// The file, and the routes in it. `class` is the GatewayClass of a Gateway that is rendered.
pub(super) fn file(group: &LaneGroup, of: Implementation, class: &str) -> anyhow::Result<(File, Vec<HttpRoute>)> {
    let mut file = File::new(group, Stage::Gateway, "50-gateway.yaml", COMMENT);
    let Some(gateway) = &group.spec.gateway else { return Ok((file, Vec::new())) };
    let resource = group.gateway_resource(gateway);
    if gateway.reference.is_none() {
        file.add(Kind::API_GATEWAY, &resource.name, &resource.namespace, spec(group, gateway, class))?;
    }
    for namespace in others(group) {
        let name = format!("{}.{}.ingress", group.metadata.namespace, group.metadata.name);
        file.add(Kind::REFERENCE_GRANT, name, namespace, grant(group, namespace, of))?;
    }
    let parent = json!({"name": resource.name, "namespace": resource.namespace});
    let hosts = (!gateway.serves_every_host()).then_some(&gateway.hosts);
    let parents = given(json!({"parentRefs": [parent], "hostnames": hosts}));
    let routes = http_route::ingress(group, &parents, of)?;
    routes.iter().try_for_each(|route| route.add_to(&mut file))?;
    Ok((file, routes))
}

fn spec(group: &LaneGroup, gateway: &Gateway, class: &str) -> Value {
    let address = format!("{}.{}.svc.{}", gateway.service, gateway.namespace, group.spec.mesh.cluster_domain);
    // The pods that are there. Without an address Istio would deploy others.
    let addresses = (!gateway.selector.is_empty()).then(|| json!([{"type": "Hostname", "value": address}]));
    let listeners: Vec<Value> = gateway.ports().iter().flat_map(|port| listeners(group, gateway, port)).collect();
    given(json!({"gatewayClassName": class, "addresses": addresses, "listeners": listeners}))
}

/// One for each host.
fn listeners(group: &LaneGroup, gateway: &Gateway, port: &GatewayPort) -> Vec<Value> {
    let GatewayPort { number, credential_name } = port;
    let certificate = |secret| json!({"group": "", "kind": "Secret", "name": secret});
    let tls = credential_name.as_ref().map(certificate);
    let tls = tls.map(|certificate| json!({"mode": "Terminate", "certificateRefs": [certificate]}));
    let scheme = if credential_name.is_some() { "https" } else { "http" };
    // No other namespace may add routes to this gateway.
    let own = json!({"kubernetes.io/metadata.name": group.metadata.namespace});
    let allowed = json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": own}}});
    let listener = |(index, host): (usize, &String)| {
        let name =
            if gateway.hosts.len() == 1 { format!("{scheme}-{number}") } else { format!("{scheme}-{number}-{index}") };
        given(json!({
            "name": name,
            "port": number,
            "protocol": scheme.to_ascii_uppercase(),
            "hostname": (host != "*").then_some(host),
            "tls": tls,
            "allowedRoutes": allowed,
        }))
    };
    gateway.hosts.iter().enumerate().map(listener).collect()
}

/// The namespaces that the ingress sends requests to, but its own.
fn others(group: &LaneGroup) -> BTreeSet<&str> {
    let mirrors = group.spec.routes.iter().filter_map(|route| route.mirror.as_ref()?.namespace.as_deref());
    let all = group.namespaces().into_iter().chain(mirrors);
    all.filter(|namespace| *namespace != group.metadata.namespace).collect()
}

/// For the HTTPRoutes of the ingress, which are in the lane group's namespace.
fn grant(group: &LaneGroup, namespace: &str, of: Implementation) -> Value {
    let services = || group.spec.services.iter().filter(|service| group.namespace_of(service) == namespace);
    let of_lanes = |service: &Service| {
        let pools = group.pools(service);
        pools.iter().map(|pool| lane_service::name(service, pool.lane())).collect::<Vec<_>>()
    };
    let mirrors = group.spec.routes.iter().filter_map(|route| route.mirror.as_ref());
    let mirrors = mirrors.filter(|mirror| mirror.namespace.as_deref() == Some(namespace));
    let names = services().flat_map(of_lanes).chain(mirrors.map(|mirror| mirror.service.clone()));
    let mut to: Vec<Value> = names.map(|name| json!({"group": "", "kind": "Service", "name": name})).collect();
    if of == Implementation::EnvoyGateway {
        let backends = services().flat_map(|service| backend::of_service(group, service));
        to.extend(backends.map(|backend| backend::reference(&backend.name, None)));
    }
    let from =
        json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": group.metadata.namespace});
    json!({"from": [from], "to": to})
}
