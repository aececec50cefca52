//! Copies for mirrored lanes: merged into the gateway's routes, because neither a VirtualService nor an HTTPRoute can give a copy
//! another header than the request has.

use serde_json::{Value, json};

use super::of_patches;
use crate::{
    document::LaneGroup,
    render::{
        istio::{File, Stage, http_route::HttpRoute, lane_service, resource::Kind, virtual_service},
        rules::{Copies, ingress},
    },
};

const COMMENT: &str = "Copies of what the baseline gets at the gateway, for mirrored lanes. Each has its lane's tag, whatever the request has, and\n\
    so it stays in its lane at every hop.";

/// For the gateway's VirtualService, whose routes are called as its rules are.
pub(in super::super) fn of_virtual_service(group: &LaneGroup) -> anyhow::Result<File> {
    let cluster = |Copies { to, .. }: &Copies| group.cluster(&to.service, &to.port, to.pool.lane());
    let patches = ingress(group).into_iter().filter(|rule| !rule.traffic.copies.is_empty()).map(|rule| {
        let name = virtual_service::at_gateway(group, &rule);
        patch(group, &name, &rule.traffic.copies, cluster)
    });
    file(group, patches.collect())
}

/// For the gateway's HTTPRoutes. Istio calls the routes of one NAMESPACE.NAME.RULE.
pub(in super::super) fn of_http_routes(group: &LaneGroup, routes: &[HttpRoute]) -> anyhow::Result<File> {
    let cluster = |Copies { to, .. }: &Copies| lane_service::cluster(group, &to.service, &to.port, to.pool.lane());
    let patches = |route: &HttpRoute| {
        let name = |rule: usize| format!("{}.{}.{rule}", route.namespace, route.name);
        let rules = if route.copies.is_empty() { 0 } else { route.rules.len() };
        (0..rules).map(|rule| patch(group, &name(rule), &route.copies, cluster)).collect::<Vec<_>>()
    };
    file(group, routes.iter().flat_map(patches).collect())
}

fn file(group: &LaneGroup, patches: Vec<Value>) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Gateway, "57-mirror.yaml", COMMENT);
    if !patches.is_empty() {
        let name = format!("{}.{}.mirror", group.metadata.namespace, group.metadata.name);
        file.add(Kind::ENVOY_FILTER, name, &group.spec.mesh.root_namespace, of_patches(&[], &patches))?;
    }
    Ok(file)
}

fn patch(group: &LaneGroup, route: &str, copies: &[Copies], cluster: impl Fn(&Copies) -> String) -> Value {
    let policies: Vec<Value> = copies.iter().map(|copies| copies.policy(&group.spec, cluster(copies))).collect();
    json!({
        "applyTo": "HTTP_ROUTE",
        "match": {"context": "GATEWAY", "routeConfiguration": {"vhost": {"route": {"name": route}}}},
        "patch": {"operation": "MERGE", "value": {"route": {"request_mirror_policies": policies}}},
    })
}
