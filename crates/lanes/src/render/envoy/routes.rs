//! Routes: which lane a request goes to (RDS).

use serde_json::{Value, json};

use super::{File, file::typed};
use crate::{
    document::{Lane, LaneGroup, Propagation, Retries, Service, Spec, StringMatch},
    json::with,
    render::rules::{Condition, Destination, Resend, Rule, hops, ingress},
};

/// The routes of the gateway, and the name of their file.
pub(super) const GATEWAY: &str = "gateway-routes";
const OUTBOUND: &str = "outbound-routes";
const RETRIES: &str = "Retries cover the moment between the death of a pod and its discovery. The first goes to another pod of the lane, if\n\
    there is one, the second to the baseline. What HTTP calls idempotent (RFC 9110, 9.2.2) may be sent twice; anything\n\
    else is retried only if it cannot have reached the application.";
/// The request cannot have reached the application.
const NOT_SENT: &str = "connect-failure,refused-stream,unavailable,cancelled";
/// It may have.
const MAYBE_SENT: &str = "connect-failure,refused-stream,unavailable,cancelled,reset,retriable-status-codes";

/// What enters the lanes.
pub(super) fn of_gateway(group: &LaneGroup) -> anyhow::Result<File> {
    let hosts = virtual_host(group, "ingress", group.spec.gateway.hosts.clone(), &ingress(group));
    let comment = format!("What enters the lanes (RDS). The first route that matches takes the request.\n\n{RETRIES}");
    // As Istio's gateways: clients of another port than the default name it.
    let routes = with(configuration(GATEWAY, vec![hosts]), json!({"ignore_port_in_host_matching": true}));
    File::watched(format!("{GATEWAY}.yaml"), &comment, vec![routes])
}

/// Where sidecars send what their applications call; a file for each lane if the calling pod's labels decide.
pub(super) fn of_sidecars(group: &LaneGroup) -> anyhow::Result<Vec<File>> {
    let spec = &group.spec;
    let mut files: Vec<File> = Vec::new();
    for lane in &spec.lanes {
        let name = of_lane(spec, lane);
        if files.iter().all(|file| file.name != format!("{name}.yaml")) {
            let hosts = spec.services.iter().map(|service| {
                let rules: Vec<Rule> =
                    hops(group, service).iter().filter_map(|rule| from_pods_of(lane, rule)).collect();
                virtual_host(group, &service.name, domains(group, service), &rules)
            });
            let resource = configuration(&name, hosts.collect());
            files.push(File::watched(format!("{name}.yaml"), &comment(spec, lane), vec![resource])?);
        }
    }
    Ok(files)
}

/// The routes that the sidecars of a lane have.
pub(super) fn of_lane(spec: &Spec, lane: &Lane) -> String {
    match spec.propagation() {
        Propagation::SourceLabels => format!("{OUTBOUND}-{}", lane.name),
        _ => OUTBOUND.to_owned(),
    }
}

fn comment(spec: &Spec, lane: &Lane) -> String {
    let what = match spec.propagation() {
        Propagation::SourceLabels => {
            format!(
                "Where the sidecars of lane {} send what their applications call (RDS): to the same lane.",
                lane.name
            )
        }
        _ => format!(
            "Where a sidecar sends what its application calls (RDS): the route header {} chooses the lane.",
            spec.route_header
        ),
    };
    format!(
        "{what}\nA host that is no service of the lane group has no route: the application names it in NO_PROXY.\n\n{RETRIES}"
    )
}

/// The rule as it is for a caller with the lane's labels, which are known when the file is written.
fn from_pods_of(lane: &Lane, rule: &Rule) -> Option<Rule> {
    let holds = |condition: &&Condition| {
        condition.source_labels.iter().all(|(label, value)| lane.labels.get(label) == Some(value))
    };
    let conditions: Vec<Condition> = rule.conditions.iter().filter(holds).cloned().collect();
    let is_possible = rule.conditions.is_empty() || !conditions.is_empty();
    is_possible.then(|| Rule { conditions, ..rule.clone() })
}

fn configuration(name: &str, virtual_hosts: Vec<Value>) -> Value {
    let routes = json!({"name": name, "virtual_hosts": virtual_hosts});
    typed("envoy.config.route.v3.RouteConfiguration", routes)
}

/// The names that an application may call a service by.
fn domains(group: &LaneGroup, service: &Service) -> Vec<String> {
    let (name, namespace) = (&service.name, &group.metadata.namespace);
    let names = [name.clone(), format!("{name}.{namespace}"), format!("{name}.{namespace}.svc"), group.host(name)];
    names.into_iter().flat_map(|name| [format!("{name}:{}", service.port), name]).collect()
}

fn virtual_host(group: &LaneGroup, name: &str, domains: Vec<String>, rules: &[Rule]) -> Value {
    let retries = match group.spec.retries {
        Retries::Never => json!({}),
        _ => json!({"retry_policy": retry_policy(json!({"retry_on": NOT_SENT}))}),
    };
    let routes: Vec<Value> = rules.iter().flat_map(|rule| routes(group, rule)).collect();
    with(with(json!({"name": name, "domains": domains}), retries), json!({ "routes": routes }))
}

/// A route for each condition of which one must hold.
fn routes(group: &LaneGroup, rule: &Rule) -> Vec<Value> {
    let route = |condition: &Condition| {
        let route = json!({"name": rule.name, "match": matcher(condition), "route": action(group, rule)});
        match rule.destinations.as_slice() {
            [only @ Destination { weight: None, .. }] => with(route, tag(&group.spec, only)),
            _ => route,
        }
    };
    match rule.conditions.as_slice() {
        [] => vec![route(&Condition::default())],
        conditions => conditions.iter().map(route).collect(),
    }
}

fn matcher(condition: &Condition) -> Value {
    let path = match &condition.uri {
        None => json!({"prefix": "/"}),
        Some(StringMatch::Exact(path)) => json!({"path": path}),
        Some(StringMatch::Prefix(prefix)) => json!({"prefix": prefix}),
        Some(StringMatch::Regex(regex)) => json!({"safe_regex": {"regex": regex}}),
    };
    let method = condition.method.iter().map(|method| header(":method", method));
    let headers = condition.headers.iter().map(|(name, value)| header(name, value));
    let headers: Vec<Value> = headers.chain(method).collect();
    if headers.is_empty() { path } else { with(path, json!({ "headers": headers })) }
}

fn header(name: &str, value: &StringMatch) -> Value {
    let string_match = match value {
        StringMatch::Exact(text) => json!({"exact": text}),
        StringMatch::Prefix(text) => json!({"prefix": text}),
        StringMatch::Regex(regex) => json!({"safe_regex": {"regex": regex}}),
    };
    json!({"name": name, "string_match": string_match})
}

fn action(group: &LaneGroup, rule: &Rule) -> Value {
    let cluster = |destination: &Destination| {
        let service = group.spec.services.iter().find(|service| service.name == destination.service);
        service.map(|service| group.cluster(service, &destination.lane))
    };
    let action = match rule.destinations.as_slice() {
        [only @ Destination { weight: None, .. }] => json!({"cluster": cluster(only)}),
        several => {
            let share = |to: &Destination| {
                let share = json!({"name": cluster(to), "weight": to.weight});
                with(share, tag(&group.spec, to))
            };
            json!({"weighted_clusters": {"clusters": several.iter().map(share).collect::<Vec<_>>()}})
        }
    };
    if rule.retries != Some(Resend::MaybeSent) {
        return action;
    }
    // `503` of Istio's retryOn is the status code.
    let policy = json!({"retry_on": MAYBE_SENT, "retriable_status_codes": [503]});
    with(action, json!({"retry_policy": retry_policy(policy)}))
}

/// Of two retries, the first goes to another pod, the second to the next cluster of the aggregate; what Istio makes of
/// `retryRemoteLocalities`.
fn retry_policy(policy: Value) -> Value {
    let priorities = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
    let hosts = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    let again = json!({
        "num_retries": 2,
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": typed(priorities, json!({"update_frequency": 2})),
        },
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": typed(hosts, json!({}))},
        ],
        "host_selection_retry_max_attempts": 5,
    });
    with(policy, again)
}

/// Where the way sets it, the lane's tag becomes the route header, whatever was there.
fn tag(spec: &Spec, destination: &Destination) -> Value {
    if !destination.sets_tag {
        return json!({});
    }
    let header = json!({"key": spec.header(), "value": destination.lane});
    json!({"request_headers_to_add": [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]})
}
