//! What Prometheus cannot know of a lane group by counting: recording rules whose values are the document's.

use serde_json::{Value, json};

use super::{istio::lane_service, yaml};
use crate::{
    document::{LaneGroup, Routing, Service, Spec},
    json::with,
    tagging::regions,
};

/// The rule file of a lane group.
///
/// # Errors
/// None that is known: what is written is texts and numbers.
pub fn render(group: &LaneGroup) -> anyhow::Result<String> {
    yaml(&json!({ "groups": [rules(group)] }))
}

/// The same as a resource of the Prometheus operator, in the namespace of the lane group.
///
/// # Errors
/// As for [`render`].
pub fn resource(group: &LaneGroup) -> anyhow::Result<String> {
    let (name, namespace) = (&group.metadata.name, &group.metadata.namespace);
    yaml(&json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": format!("lanes-{name}"), "namespace": namespace},
        "spec": {"groups": [rules(group)]},
    }))
}

fn rules(group: &LaneGroup) -> Value {
    let (name, namespace) = (&group.metadata.name, &group.metadata.namespace);
    let shares = intended(&group.spec).into_iter().chain(actual(group)).collect();
    let parts = [destinations(group), members(group), shares];
    let labelled = |rule: Value| {
        let labels = with(json!({ "group": name }), rule.get("labels").cloned().unwrap_or_default());
        with(rule, json!({ "labels": labels }))
    };
    let rules: Vec<Value> = parts.into_iter().flatten().map(labelled).collect();
    json!({"name": format!("lanes of {namespace}/{name}"), "rules": rules})
}

/// The Kubernetes Services by which requests reach a service: with Gateway API, each lane has its own.
fn destinations(group: &LaneGroup) -> Vec<Value> {
    let of_lanes = |service: &Service| match group.spec.mesh.routing {
        Routing::GatewayApi => lane_service::names(group, service),
        Routing::VirtualService => Vec::new(),
    };
    let of_service = |service: &Service| {
        let names = [service.name.clone()].into_iter().chain(of_lanes(service).into_iter().map(|(name, _)| name));
        let labels = |name: String| json!({"namespace": group.namespace_of(service), "service": service.name, "destination": name});
        names.map(|name| constant("lanes:destination", 1.0, labels(name))).collect::<Vec<_>>()
    };
    group.spec.services.iter().flat_map(of_service).collect()
}

/// Which lanes hold which services.
fn members(group: &LaneGroup) -> Vec<Value> {
    let spec = &group.spec;
    let member = |service: &Service, lane: &str| {
        let role = if lane == spec.baseline { "baseline" } else { "lane" };
        let labels =
            json!({"namespace": group.namespace_of(service), "service": service.name, "lane": lane, "role": role});
        constant("lanes:member", 1.0, labels)
    };
    let of_service = |service: &Service| {
        let lanes = spec.lanes.iter().filter(|lane| spec.holds(lane, service));
        lanes.map(|lane| member(service, &lane.name)).collect::<Vec<_>>()
    };
    spec.services.iter().flat_map(of_service).collect()
}

/// The shares that the document gives the lanes; none, if it does not assign them.
fn intended(spec: &Spec) -> Vec<Value> {
    let shares: Vec<(String, f64)> = match (spec.users(), spec.weights()) {
        (Some(users), _) => {
            let share = |buckets: u32| f64::from(buckets) / f64::from(users.modulo);
            let regions = regions(users);
            let taken: u32 = regions.iter().map(|region| region.to - region.from).sum();
            let baseline = (spec.baseline.clone(), share(users.modulo.saturating_sub(taken)));
            let lanes = regions.into_iter().map(|region| (region.lane, share(region.to - region.from)));
            [baseline].into_iter().chain(lanes).collect()
        }
        (None, weights) => {
            let weights = weights.unwrap_or_default();
            weights.iter().map(|share| (share.lane.clone(), f64::from(share.weight) / 100.0)).collect()
        }
    };
    shares.into_iter().map(|(lane, share)| constant("lanes:share:intended", share, json!({ "lane": lane }))).collect()
}

/// The shares that the lanes really have of the requests that are assigned.
fn actual(group: &LaneGroup) -> Option<Value> {
    let entered = format!(r#"lanes:entered:rate5m{{group="{}"}}"#, group.metadata.name);
    // Users by name have no share.
    let decided = r#"rate(hash_tagging_decisions{reason="hash",tag_value!=""}[5m])"#;
    let by_lane = match (group.spec.users(), group.spec.weights()) {
        (Some(_), _) => format!(r#"sum by (lane) (label_replace({decided}, "lane", "$1", "tag_value", "(.+)"))"#),
        (None, Some(_)) => format!("sum by (lane) ({entered})"),
        (None, None) => return None,
    };
    Some(json!({"record": "lanes:share:actual", "expr": format!("{by_lane} / scalar(sum({by_lane}))")}))
}

fn constant(record: &str, value: f64, labels: Value) -> Value {
    json!({"record": record, "expr": format!("vector({value})"), "labels": labels})
}
