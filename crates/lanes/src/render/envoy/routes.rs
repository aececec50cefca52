//! Routes: which lane a request goes to (RDS).

use serde_json::{Value, json};

use super::{File, file::typed};
use crate::{
    document::{
        Duration, HeaderEdits, Lane, LaneGroup, Propagation, Redirect, Retries, Service, ServicePort, Spec, StringMatch,
    },
    json::{given, with},
    render::rules::{Action, Condition, Destination, Retrying, Rule, Traffic, hops, ingress},
};

/// The routes of the gateway, and the name of their file.
pub(super) const GATEWAY: &str = "gateway-routes";
const OUTBOUND: &str = "outbound-routes";
const RETRIES: &str = "Retries cover the moment between the death of a pod and its discovery. The first goes to another pod of the lane, if\n\
    there is one, the second to the baseline. What HTTP calls idempotent (RFC 9110, 9.2.2) may be sent twice; anything\n\
    else is retried only if it cannot have reached the application.";
/// What enters the lanes.
pub(super) fn of_gateway(group: &LaneGroup) -> anyhow::Result<Option<File>> {
    let Some(gateway) = &group.spec.gateway else { return Ok(None) };
    let hosts = virtual_host(group, "ingress", gateway.hosts.clone(), &ingress(group));
    let comment = format!("What enters the lanes (RDS). The first route that matches takes the request.\n\n{RETRIES}");
    // As Istio's gateways: clients of another port than the default name it.
    let routes = with(configuration(GATEWAY, vec![hosts]), json!({"ignore_port_in_host_matching": true}));
    File::watched(format!("{GATEWAY}.yaml"), &comment, vec![routes]).map(Some)
}

/// Where sidecars send what their applications call; a file for each lane if the calling pod's labels decide.
pub(super) fn of_sidecars(group: &LaneGroup) -> anyhow::Result<Vec<File>> {
    let spec = &group.spec;
    let mut files: Vec<File> = Vec::new();
    for lane in &spec.lanes {
        let name = of_lane(spec, lane);
        if files.iter().all(|file| file.name != format!("{name}.yaml")) {
            let hosts = spec.services.iter().filter_map(|service| {
                let port = service.ports().into_iter().next()?;
                let rules: Vec<Rule> =
                    hops(group, service, &port).iter().filter_map(|rule| from_pods_of(lane, rule)).collect();
                Some(virtual_host(group, &service.name, domains(group, service, &port), &rules))
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
fn domains(group: &LaneGroup, service: &Service, port: &ServicePort) -> Vec<String> {
    let (name, namespace) = (&service.name, group.namespace_of(service));
    let names = [name.clone(), format!("{name}.{namespace}"), format!("{name}.{namespace}.svc"), group.host(service)];
    names.into_iter().flat_map(|name| [format!("{name}:{}", port.number), name]).collect()
}

fn virtual_host(group: &LaneGroup, name: &str, domains: Vec<String>, rules: &[Rule]) -> Value {
    let retries = of_every_rule(&group.spec).as_ref().map(retry_policy);
    let routes: Vec<Value> = rules.iter().flat_map(|rule| routes(group, rule)).collect();
    given(json!({"name": name, "domains": domains, "retry_policy": retries, "routes": routes}))
}

/// A route for each condition of which one must hold. What nothing takes is answered with 404.
fn routes(group: &LaneGroup, rule: &Rule) -> Vec<Value> {
    let action = match &rule.action {
        Action::Forward(destinations) => forwarded(group, rule, destinations),
        Action::Redirect(redirect) => json!({"redirect": redirected(redirect)}),
        Action::Reject => return Vec::new(),
    };
    let headers = header_edits(&rule.request_edits(&group.spec), &rule.traffic.headers.response);
    let route = |condition: &Condition| {
        let route = json!({"name": rule.name, "match": matcher(condition)});
        [action.clone(), headers.clone()].into_iter().fold(route, with)
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
    given(with(path, json!({ "headers": headers })))
}

/// A condition on a header.
pub(super) fn header(name: &str, value: &StringMatch) -> Value {
    let string_match = match value {
        StringMatch::Exact(text) => json!({"exact": text}),
        StringMatch::Prefix(text) => json!({"prefix": text}),
        StringMatch::Regex(regex) => json!({"safe_regex": {"regex": regex}}),
    };
    json!({"name": name, "string_match": string_match})
}

fn forwarded(group: &LaneGroup, rule: &Rule, destinations: &[Destination]) -> Value {
    let cluster = |to: &Destination| group.cluster(&to.service, &to.port, to.pool.lane());
    let share = |to: &Destination| {
        let tag = to.tag.as_ref().map(|tag| (group.spec.header(), tag.clone()));
        let edits = HeaderEdits { set: tag.into_iter().collect(), ..HeaderEdits::default() };
        with(json!({"name": cluster(to), "weight": to.weight}), header_edits(&edits, &HeaderEdits::default()))
    };
    let to = match destinations {
        [only @ Destination { weight: None, .. }] => json!({"cluster": cluster(only)}),
        several => {
            let clusters = several.iter().map(share).collect::<Vec<_>>();
            let by_hash = rule.hashed.as_ref().map(|_| true);
            json!({"weighted_clusters": given(json!({"clusters": clusters, "use_hash_policy": by_hash}))})
        }
    };
    let Traffic { timeout, rewrite, copies, .. } = &rule.traffic;
    let more = json!({
        "timeout": timeout.as_ref().map(Duration::seconds),
        "prefix_rewrite": rewrite.as_ref().and_then(|to| to.uri.as_ref()),
        "host_rewrite_literal": rewrite.as_ref().and_then(|to| to.authority.as_ref()),
        "retry_policy": own_retries(&group.spec, rule).map(retry_policy),
        "hash_policy": rule.hashed.as_deref().map(hash_policy),
        "request_mirror_policies": copies.iter().map(|copies| copies.policy(&group.spec, cluster(&copies.to))).collect::<Vec<_>>(),
    });
    json!({"route": given(with(to, more))})
}

/// The bucket is the XXH64 of the header's value, seed 0, modulo the sum of the weights, which count in their order
/// (`source/common/router/weighted_cluster_specifier.cc`).
fn hash_policy(header: &str) -> Vec<Value> {
    vec![json!({"header": {"header_name": header}})]
}

fn redirected(Redirect { uri, authority, scheme, port, code }: &Redirect) -> Value {
    let code = match code {
        302 => "FOUND",
        303 => "SEE_OTHER",
        307 => "TEMPORARY_REDIRECT",
        308 => "PERMANENT_REDIRECT",
        _ => "MOVED_PERMANENTLY",
    };
    given(json!({
        "path_redirect": uri,
        "host_redirect": authority,
        "scheme_redirect": scheme,
        "port_redirect": port,
        "response_code": code,
    }))
}

fn header_edits(request: &HeaderEdits, response: &HeaderEdits) -> Value {
    given(json!({
        "request_headers_to_add": additions(request),
        "request_headers_to_remove": request.remove,
        "response_headers_to_add": additions(response),
        "response_headers_to_remove": response.remove,
    }))
}

fn additions(edits: &HeaderEdits) -> Vec<Value> {
    let header = |(name, value): (&String, &String), action: &str| json!({"header": {"key": name, "value": value}, "append_action": action});
    let set = edits.set.iter().map(|edit| header(edit, "OVERWRITE_IF_EXISTS_OR_ADD"));
    set.chain(edits.add.iter().map(|edit| header(edit, "APPEND_IF_EXISTS_OR_ADD"))).collect()
}

/// What a virtual host has for its rules.
fn of_every_rule(spec: &Spec) -> Option<Retrying> {
    (spec.retries != Retries::Never).then(Retrying::default)
}

/// The retries that are a rule's own.
fn own_retries<'a>(spec: &Spec, rule: &'a Rule) -> Option<&'a Retrying> {
    let own = rule.retries.as_ref()?;
    let is_never = |retrying: &Retrying| retrying.attempts == 0;
    let is_same = of_every_rule(spec).map_or_else(|| is_never(own), |of_all| of_all == *own);
    (!is_same).then_some(own)
}

/// Of two retries, the first goes to another pod, the second to the next cluster of the aggregate; what Istio makes of
/// `retryRemoteLocalities`.
fn retry_policy(retrying: &Retrying) -> Value {
    let (mut on, codes) = retrying.conditions.parts();
    if !codes.is_empty() {
        on.push("retriable-status-codes");
    }
    let priorities = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
    let hosts = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    given(json!({
        "retry_on": on.join(","),
        "retriable_status_codes": codes,
        "per_try_timeout": retrying.per_try_timeout.as_ref().map(Duration::seconds),
        "num_retries": retrying.attempts,
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": typed(priorities, json!({"update_frequency": 2})),
        },
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": typed(hosts, json!({}))},
        ],
        "host_selection_retry_max_attempts": 5,
    }))
}
