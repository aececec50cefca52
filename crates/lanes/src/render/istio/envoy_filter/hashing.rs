//! What chooses among the destinations of the gateway's routes by a hash instead of by chance: merged into the routes that Istio
//! makes of the VirtualService.

use serde_json::{Value, json};

use crate::{
    document::LaneGroup,
    json::given,
    render::{
        istio::{File, Stage, resource::Kind},
        rules::ingress,
    },
};

const COMMENT: &str = "The same user, the same lane, without a module: Envoy chooses by the hash of the header instead of by chance. It is applied\n\
    before the routes, which would choose by chance without it.";

/// One for the gateway's pods, for all routes that hash.
pub(in super::super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Gateway, "45-hash-policy.yaml", COMMENT);
    let patches: Vec<Value> =
        ingress(group).iter().filter_map(|rule| Some(patch(&rule.name, rule.hashed.as_ref()?))).collect();
    if !patches.is_empty() {
        let (namespace, pods) = group.gateway_pods();
        let name = format!("{}.{}.hash-policy", group.metadata.namespace, group.metadata.name);
        let spec = json!({"workloadSelector": {"labels": pods}, "configPatches": patches});
        file.add(Kind::ENVOY_FILTER, name, &namespace, given(spec))?;
    }
    Ok(file)
}

/// By the route's name, which has the lane group in it: no other route at the gateway is called so.
fn patch(name: &str, header: &str) -> Value {
    let route =
        json!({"weighted_clusters": {"use_hash_policy": true}, "hash_policy": [{"header": {"header_name": header}}]});
    json!({
        "applyTo": "HTTP_ROUTE",
        "match": {"context": "GATEWAY", "routeConfiguration": {"vhost": {"route": {"name": name}}}},
        "patch": {"operation": "MERGE", "value": {"route": route}},
    })
}
