//! The retries of HTTPRoutes, which have no words for them: merged into the routes that Istio makes of their rules.

use serde_json::{Value, json};

use super::of_patches;
use crate::{
    document::{Duration, LaneGroup},
    json::given,
    render::{
        istio::{File, Stage, http_route::HttpRoute, resource::Kind},
        rules::Retrying,
    },
};

const COMMENT: &str = "Retries cover the moment between the death of a lane's pod and its discovery. Istio calls the routes of an HTTPRoute\n\
    NAMESPACE.NAME.RULE. All rules of an HTTPRoute have the same retries, so a rule that moves keeps its own.";

/// One EnvoyFilter for each list of rules.
pub(in super::super) fn file(
    group: &LaneGroup,
    name: &'static str,
    stage: Stage,
    routes: &[HttpRoute],
) -> anyhow::Result<File> {
    let mut file = File::new(group, stage, name, COMMENT);
    for routes in routes.chunk_by(|one, next| (&one.namespace, &one.list) == (&next.namespace, &next.list)) {
        let patches: Vec<Value> = routes.iter().flat_map(patches).collect();
        if let (Some(HttpRoute { namespace, list, .. }), false) = (routes.first(), patches.is_empty()) {
            let name = format!("{namespace}.{list}.retries");
            file.add(Kind::ENVOY_FILTER, name, &group.spec.mesh.root_namespace, of_patches(&[], &patches))?;
        }
    }
    Ok(file)
}

fn patches(HttpRoute { namespace, name, rules, retries, .. }: &HttpRoute) -> Vec<Value> {
    let Some(retries) = retries else { return Vec::new() };
    let policy = policy(retries);
    let patch = |rule: usize| {
        let vhost = json!({"vhost": {"route": {"name": format!("{namespace}.{name}.{rule}")}}});
        json!({
            "applyTo": "HTTP_ROUTE",
            "match": {"context": "ANY", "routeConfiguration": vhost},
            "patch": {"operation": "MERGE", "value": {"route": {"retry_policy": policy}}},
        })
    };
    (0..rules.len()).map(patch).collect()
}

/// Envoy's `RetryPolicy`, as Istio makes it of a VirtualService's `retries`.
fn policy(retrying: &Retrying) -> Value {
    let Retrying { attempts, conditions, per_try_timeout, to_baseline, .. } = retrying;
    if *attempts == 0 {
        return json!({"num_retries": 0});
    }
    let (mut on, codes) = conditions.parts();
    if !codes.is_empty() {
        on.push("retriable-status-codes");
    }
    let priorities =
        "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
    let priority = json!({
        "name": "envoy.retry_priorities.previous_priorities",
        "typed_config": {"@type": priorities, "update_frequency": 2},
    });
    given(json!({
        "retry_on": on.join(","),
        "num_retries": attempts,
        "retriable_status_codes": codes,
        "per_try_timeout": per_try_timeout.as_ref().map(Duration::seconds),
        "retry_priority": to_baseline.then_some(priority),
    }))
}
