//! VirtualServices: rules in Istio's words.

use serde_json::{Value, json};

use super::{
    File, Stage, name_for,
    resource::{Kind, exports},
};
use crate::{
    document::{Cors, HeaderEdits, LaneGroup, Mirror, Redirect, Service},
    json::{given, with},
    render::rules::{Action, Condition, Destination, Retrying, Rule, hops},
};

const COMMENT: &str =
    "What a request stays in its lane by, at every hop. Ports that are not in the lanes stay as they are.";
const RETRIES: &str = "What HTTP calls idempotent (RFC 9110, 9.2.2) is sent again also when it may have been sent before, so that no such \
    request\nfails because a pod of the lane died; anything else only when it cannot have reached the application.";

/// `istioctl analyze` misses the subset in the DestinationRule, which must not have it for waypoints.
const SUPPRESS: (&str, &str) = ("galley.istio.io/analyze-suppress", "IST0101");

/// One for each service: a request stays in its lane at every hop.
pub(super) fn of_services(group: &LaneGroup) -> anyhow::Result<File> {
    let falls_back = group.falls_back();
    let comment = if falls_back { format!("{COMMENT}\n{RETRIES}") } else { COMMENT.to_owned() };
    let mut file = File::new(group, Stage::Routes, "40-virtual-services.yaml", comment);
    let annotations = if group.spec.mesh.ambient && falls_back { json!({SUPPRESS.0: SUPPRESS.1}) } else { json!({}) };
    for service in &group.spec.services {
        let (name, namespace) = (name_for(service), group.namespace_of(service));
        file.add_annotated(Kind::VIRTUAL_SERVICE, name, namespace, mesh(group, service), annotations.clone())?;
    }
    Ok(file)
}

/// For the gateway, by its name.
pub(super) fn ingress(group: &LaneGroup, hosts: &[String], gateway: &str, rules: &[Rule]) -> Value {
    let named = |rule: &Rule| Rule { name: at_gateway(group, rule), ..rule.clone() };
    let http: Vec<Value> = rules.iter().map(|rule| route(group, &named(rule), None)).collect();
    json!({"hosts": hosts, "gateways": [gateway], "exportTo": exports(group), "http": http})
}

/// How the gateway calls the route. What is copied is found by the name, which no other group at the gateway may have.
pub(super) fn at_gateway(group: &LaneGroup, rule: &Rule) -> String {
    match rule.traffic.copies.as_slice() {
        [] => rule.name.clone(),
        _ => format!("{}.{}.{}", rule.name, group.metadata.name, group.metadata.namespace),
    }
}

/// For the mesh: each port of the service that is in the lanes, and the others as they were.
fn mesh(group: &LaneGroup, service: &Service) -> Value {
    let host = group.host(service);
    let mut http = Vec::new();
    for (index, port) in service.ports().iter().enumerate() {
        for mut rule in hops(group, service, port) {
            if index > 0 {
                rule.name = format!("{}-{}", rule.name, port.number);
            }
            http.push(route(group, &rule, Some(port.number)));
        }
    }
    // Without a port, Istio takes the one that the request came to.
    http.push(json!({"name": "other-ports", "route": [{"destination": {"host": host}}]}));
    json!({"hosts": [host], "exportTo": exports(group), "http": http})
}

/// A rule, for one port only if it is given.
fn route(group: &LaneGroup, rule: &Rule, port: Option<u16>) -> Value {
    let traffic = &rule.traffic;
    let mut matches: Vec<Value> = rule.conditions.iter().map(|condition| matched(condition, port)).collect();
    if matches.is_empty() && port.is_some() {
        matches.push(matched(&Condition::default(), port));
    }
    let action = match &rule.action {
        Action::Forward(to) => json!({"route": to.iter().map(|to| destination(group, to)).collect::<Vec<_>>()}),
        Action::Redirect(to) => json!({"redirect": redirected(to)}),
        Action::Reject => json!({"directResponse": {"status": 404}}),
    };
    let mirrors: Vec<Value> = traffic.mirror.iter().map(|mirror| mirrored(group, mirror)).collect();
    let more = json!({
        "rewrite": traffic.rewrite.as_ref().map(|rewrite| given(json!(rewrite))),
        "timeout": traffic.timeout,
        "retries": rule.retries.as_ref().map(retries),
        "mirrors": mirrors,
        "corsPolicy": traffic.cors.as_ref().map(cors),
        "headers": headers(&traffic.headers.request, &traffic.headers.response),
    });
    given([action, more].into_iter().fold(json!({"name": rule.name, "match": matches}), with))
}

fn matched(Condition { uri, headers, source_labels, method }: &Condition, port: Option<u16>) -> Value {
    given(json!({"uri": uri, "headers": headers, "sourceLabels": source_labels, "method": method, "port": port}))
}

fn destination(group: &LaneGroup, to: &Destination) -> Value {
    let set = to.tag.iter().map(|tag| (group.spec.header(), tag.clone())).collect();
    let edits = HeaderEdits { set, ..HeaderEdits::default() };
    given(json!({
        "destination": {"host": group.host(&to.service), "subset": to.pool.lane(), "port": {"number": to.port.number}},
        "weight": to.weight,
        "headers": headers(&edits, &HeaderEdits::default()),
    }))
}

fn retries(retrying: &Retrying) -> Value {
    let Retrying { attempts, conditions, per_try_timeout, to_baseline, .. } = retrying;
    if *attempts == 0 {
        return json!({"attempts": 0});
    }
    let (on, codes) = conditions.parts();
    let parts: Vec<String> = on.into_iter().map(str::to_owned).chain(codes.iter().map(u16::to_string)).collect();
    given(json!({
        "attempts": attempts,
        "perTryTimeout": per_try_timeout,
        "retryOn": parts.join(","),
        // Envoy's `previous_priorities`, updated every second attempt: after the lane's pods, the baseline's.
        "retryRemoteLocalities": to_baseline.then_some(true),
    }))
}

fn headers(request: &HeaderEdits, response: &HeaderEdits) -> Value {
    given(json!({"request": request, "response": response}))
}

fn redirected(Redirect { uri, authority, scheme, port, code }: &Redirect) -> Value {
    given(json!({"uri": uri, "authority": authority, "scheme": scheme, "port": port, "redirectCode": code}))
}

fn mirrored(group: &LaneGroup, mirror: &Mirror) -> Value {
    let host = group.host_of(&mirror.service, mirror.namespace.as_ref().unwrap_or(&group.metadata.namespace));
    json!({
        "destination": {"host": host, "port": {"number": mirror.port}},
        "percentage": {"value": mirror.percent},
    })
}

/// As the document has it, which is Istio's way, but for the origins.
fn cors(cors: &Cors) -> Value {
    let origins: Vec<Value> = cors.allow_origins.iter().map(|origin| json!({ "exact": origin })).collect();
    let credentials = cors.allow_credentials.then_some(true);
    given(with(json!(cors), json!({"allowOrigins": origins, "allowCredentials": credentials})))
}
