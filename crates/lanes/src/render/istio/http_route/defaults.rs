//! What an API server adds to an HTTPRoute, written out: otherwise what it holds is never what was applied, kubectl says
//! `configured` every time, and Argo CD finds every route out of sync.

use serde_json::{Value, json};

use crate::json::with;

/// `spec` with every default of Gateway API's that concerns it.
pub(super) fn written_out(mut spec: Value) -> Value {
    each(&mut spec, "parentRefs", |parent| {
        default(parent, json!({"group": "gateway.networking.k8s.io", "kind": "Gateway"}));
    });
    each(&mut spec, "rules", |rule| {
        default(rule, json!({"matches": [{}]}));
        each(rule, "matches", |one| {
            default(one, json!({"path": {"type": "PathPrefix", "value": "/"}}));
            each(one, "headers", |header| default(header, json!({"type": "Exact"})));
            each(one, "queryParams", |parameter| default(parameter, json!({"type": "Exact"})));
        });
        each(rule, "filters", |filter| {
            if let Some(cors) = filter.get_mut("cors") {
                default(cors, json!({"maxAge": 5}));
            }
            if let Some(backend) = filter.pointer_mut("/requestMirror/backendRef") {
                default(backend, json!({"group": "", "kind": "Service"}));
            }
        });
        each(rule, "backendRefs", |backend| {
            default(backend, json!({"group": "", "kind": "Service"}));
            if backend.get("weight").is_none() {
                *backend = with(backend.take(), json!({"weight": 1}));
            }
        });
    });
    spec
}

fn each(object: &mut Value, field: &str, change: impl FnMut(&mut Value)) {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().for_each(change);
}

/// Gives an object the fields that it lacks, in front of its own.
fn default(object: &mut Value, fields: Value) {
    *object = with(fields, object.take());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_added_and_what_is_there_stays() {
        let redirect = json!({"filters": [{"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}]});
        let parent = json!({"group": "", "kind": "Service", "name": "mocka"});

        let spec = written_out(json!({
            "parentRefs": [parent, {"name": "shop"}],
            "rules": [redirect, {"backendRefs": [{"name": "mocka-s1", "weight": 70}, {"name": "mocka-s2"}]}],
        }));

        assert_eq!(spec.pointer("/parentRefs/0"), Some(&parent));
        assert_eq!(spec.pointer("/parentRefs/1/kind"), Some(&json!("Gateway")));
        assert_eq!(spec.pointer("/rules/0/matches"), Some(&json!([{"path": {"type": "PathPrefix", "value": "/"}}])));
        assert_eq!(spec.pointer("/rules/0/filters"), redirect.get("filters"));
        assert_eq!(spec.pointer("/rules/1/backendRefs/0/weight"), Some(&json!(70)));
        assert_eq!(spec.pointer("/rules/1/backendRefs/1/weight"), Some(&json!(1)));
        assert_eq!(written_out(spec.clone()), spec);
    }
}
