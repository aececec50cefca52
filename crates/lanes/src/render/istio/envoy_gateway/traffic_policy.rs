//! What Envoy Gateway says of the way from a route to its pods: what is sent again, and when a lane has none.

use serde_json::{Value, json};

use super::super::{File, Stage, http_route::HttpRoute, resource::Kind};
use crate::{
    document::LaneGroup,
    json::{given, with},
    render::rules::Retrying,
};

/// How often pods of one priority are tried before those of the next: one for another pod of the lane, then the baseline's.
const ATTEMPTS_PER_PRIORITY: u32 = 2;
const COMMENT: &str = "How requests of each HTTPRoute are sent again, and how a lane falls back: DNS says which pods are ready, and between the death of\n\
    a pod and that the proxy does without those that three connections failed to.";

/// One BackendTrafficPolicy for each HTTPRoute that has retries of its own.
pub(super) fn file(group: &LaneGroup, routes: &[HttpRoute]) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Routes, "40-traffic-policies.yaml", COMMENT);
    for route in routes {
        if let Some(retries) = &route.retries {
            let target = json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": route.name});
            let spec = json!({"targetRefs": [target], "retry": retry(retries)});
            let falling = if route.falls_back() { falling_back() } else { json!({}) };
            file.add(Kind::BACKEND_TRAFFIC_POLICY, &route.name, &route.namespace, with(spec, falling))?;
        }
    }
    Ok(file)
}

fn retry(retrying: &Retrying) -> Value {
    let Retrying { attempts, conditions, per_try_timeout, to_baseline, .. } = retrying;
    if *attempts == 0 {
        return json!({"numRetries": 0});
    }
    let (mut triggers, codes) = conditions.parts();
    if !codes.is_empty() {
        triggers.push("retriable-status-codes");
    }
    given(json!({
        "numRetries": attempts,
        "numAttemptsPerPriority": to_baseline.then_some(ATTEMPTS_PER_PRIORITY),
        "retryOn": given(json!({"triggers": triggers, "httpStatusCodes": codes})),
        "perRetry": given(json!({"timeout": per_try_timeout})),
    }))
}

fn falling_back() -> Value {
    let passive = json!({
        // What a pod answers is the lane's own, and no reason to fall back.
        "splitExternalLocalOriginErrors": true,
        "consecutiveLocalOriginFailures": 3,
        "consecutive5XxErrors": 0,
        "interval": "1s",
        "baseEjectionTime": "5s",
        "maxEjectionPercent": 100,
    });
    json!({
        // Panic would send requests to pods that are known to be unhealthy, instead of to the baseline.
        "healthCheck": {"panicThreshold": 0, "passive": passive},
        "dns": {"dnsRefreshRate": "2s", "respectDnsTtl": false},
    })
}
