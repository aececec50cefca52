//! The retries of HTTPRoutes, which have no words for them: merged into the routes that Istio makes of their rules.

use serde_json::{Value, json};

use super::{ConfigPatch, EnvoyFilter, Patch};
use crate::{
    document::LaneGroup,
    json::with,
    render::{
        istio::{File, Stage, http_route::HttpRoute},
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
        let patches: Vec<ConfigPatch> = routes.iter().flat_map(patches).collect();
        if let (Some(HttpRoute { namespace, list, .. }), false) = (routes.first(), patches.is_empty()) {
            let name = format!("{namespace}.{list}.retries");
            file.add(name, &group.spec.mesh.root_namespace, EnvoyFilter::new(patches))?;
        }
    }
    Ok(file)
}

fn patches(HttpRoute { namespace, name, rules, retries, .. }: &HttpRoute) -> Vec<ConfigPatch> {
    let retries = retries.as_ref();
    let of = |retrying: &Retrying| {
        (0..rules.len()).map(|rule| patch(&format!("{namespace}.{name}.{rule}"), retrying)).collect()
    };
    retries.map(of).unwrap_or_default()
}

fn patch(route: &str, retrying: &Retrying) -> ConfigPatch {
    let vhost = json!({"vhost": {"route": {"name": route}}});
    let value = Some(json!({"route": {"retry_policy": policy(retrying)}}));
    ConfigPatch {
        apply_to: "HTTP_ROUTE",
        r#match: json!({"context": "ANY", "routeConfiguration": vhost}),
        patch: Patch { operation: "MERGE", value },
    }
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
    let policy = json!({"retry_on": on.join(","), "num_retries": attempts});
    let codes = if codes.is_empty() { json!({}) } else { json!({"retriable_status_codes": codes}) };
    let timeout = per_try_timeout.as_ref().map_or_else(|| json!({}), |time| json!({"per_try_timeout": time.seconds()}));
    let priorities =
        "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
    let priority = json!({"retry_priority": {
        "name": "envoy.retry_priorities.previous_priorities",
        "typed_config": {"@type": priorities, "update_frequency": 2},
    }});
    let priority = if *to_baseline { priority } else { json!({}) };
    [codes, timeout, priority].into_iter().fold(policy, with)
}
