//! What is wanted, together with what was there and may still be named.

use serde_json::{Value, json};

use super::{Resource, clusters::Clusters};
use crate::json::with;

/// What an HTTPRoute holds at most.
const MOST_RULES: usize = 16;
const MOST_MATCHES: usize = 128;

/// `wanted`, and what only `there` has.
///
/// Kept are a DestinationRule's subsets, a Service's ports, the patches of an EnvoyFilter, the rules of routes, and for whom
/// they are. An HTTPRoute that would be too long is not widened: with more than sixteen lanes before and after a change, one that
/// goes is left at some hops a few seconds early.
pub(super) fn of(there: &Resource, wanted: &Resource, clusters: &Clusters) -> Resource {
    match wanted.kind() {
        "DestinationRule" if there.text("/spec/host") == wanted.text("/spec/host") => {
            exported(there, merged(there, wanted, "subsets", |subset| subset.get("name").cloned()))
        }
        "Service" => ports(there, wanted),
        "EnvoyFilter" => clusters.patches(there, wanted),
        // A rule without a match takes what is left: there can be one.
        "VirtualService" => exported(there, merged(there, wanted, "http", |rule| rule.get("match").cloned())),
        "HTTPRoute" => rules(there, wanted),
        "ReferenceGrant" => merged(there, wanted, "to", |to| Some(to.clone())),
        _ => wanted.clone(),
    }
}

/// A list of `wanted` with the elements of the other that have keys of their own, each behind what it was behind. What has no key
/// is not kept.
pub(super) fn merged(
    there: &Resource,
    wanted: &Resource,
    field: &str,
    key: impl Fn(&Value) -> Option<Value>,
) -> Resource {
    let pointer = format!("/spec/{field}");
    let with_key = |element: &Value| (key(element), element.clone());
    let mut list: Vec<(Option<Value>, Value)> = wanted.list(&pointer).iter().map(with_key).collect();
    let mut place = 0;
    for (key, old) in there.list(&pointer).iter().map(with_key) {
        match list.iter().position(|(of, _)| *of == key) {
            Some(found) => place = found + 1,
            None if key.is_some() => {
                list.insert(place, (key, old));
                place += 1;
            }
            None => {}
        }
    }
    let list: Vec<Value> = list.into_iter().map(|(_, element)| element).collect();
    if list.is_empty() { wanted.clone() } else { wanted.clone().with(field, list.into()) }
}

/// For the callers of both.
fn exported(there: &Resource, wanted: Resource) -> Resource {
    let union = merged(there, &wanted, "exportTo", |namespace| Some(namespace.clone()));
    // Istio takes `*` only alone.
    let everybody = union.list("/spec/exportTo").iter().any(|namespace| namespace == "*");
    if everybody { wanted.with("exportTo", json!(["*"])) } else { union }
}

fn rules(there: &Resource, wanted: &Resource) -> Resource {
    let union = merged(there, wanted, "rules", |rule| rule.get("matches").cloned());
    let rules = union.list("/spec/rules");
    let matches = rules.iter().filter_map(|rule| rule.get("matches")?.as_array()).map(Vec::len).sum::<usize>();
    if rules.len() > MOST_RULES || matches > MOST_MATCHES { wanted.clone() } else { union }
}

/// Ports have numbers and names, and neither may occur twice.
fn ports(there: &Resource, wanted: &Resource) -> Resource {
    let number = |port: &Value| port.get("port").cloned();
    let union = merged(there, wanted, "ports", number);
    let of_wanted = wanted.list("/spec/ports");
    let named = |port: &Value| {
        let is_wanted = of_wanted.iter().any(|other| number(other) == number(port));
        let is_taken = of_wanted.iter().any(|other| other.get("name") == port.get("name"));
        match (port.get("name").and_then(Value::as_str), number(port)) {
            (Some(name), Some(number)) if is_taken && !is_wanted => {
                with(port.clone(), json!({"name": format!("{name}-{number}")}))
            }
            _ => port.clone(),
        }
    };
    let ports = union.list("/spec/ports").iter().map(named).collect();
    union.with("ports", ports)
}
