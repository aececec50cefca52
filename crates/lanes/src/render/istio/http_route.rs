//! HTTPRoutes: rules in Gateway API's words.

mod defaults;

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Value, json};

use super::{
    File, Stage,
    envoy_gateway::{backend, not_found},
    implementation::Implementation,
    lane_service,
    resource::Kind,
    specificity::{Ties, specify},
};
use crate::{
    document::{Cors, HeaderEdits, LaneGroup, Mirror, Redirect, Rewrite},
    json::{given, with},
    render::rules::{self, Action, Conditions, Copies, Destination, Retrying, Rule, hops},
};

/// What a rule, and an HTTPRoute, hold at most (Gateway API's limits).
const MOST_RULES: usize = 16;
const MOST_MATCHES: usize = 64;
const MOST_MATCHES_IN_ALL: usize = 128;
const COMMENT: &str = "What a request stays in its lane by, at every hop.";

/// An HTTPRoute.
///
/// All of its rules are sent again, and copied, in the same way: both hang on a rule's number, and so a rule that moves keeps its own.
pub(super) struct HttpRoute {
    /// What the routes of a list of rules are called, before anything that tells them apart.
    pub(super) list: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) retries: Option<Retrying>,
    pub(super) copies: Vec<Copies>,
    pub(super) rules: Vec<Value>,
    matches: usize,
    /// What it is attached to, and the hosts.
    parents: Value,
}

/// The routes between services, and their file.
pub(super) fn mesh(group: &LaneGroup) -> anyhow::Result<(File, Vec<HttpRoute>)> {
    let mut file = File::new(group, Stage::Routes, "40-http-routes.yaml", COMMENT);
    let mut routes = Vec::new();
    for service in &group.spec.services {
        for (index, port) in service.ports().iter().enumerate() {
            let parent = json!({"group": "", "kind": "Service", "name": service.name, "port": port.number});
            let name = match index {
                0 => format!("{}-lanes", service.name),
                _ => format!("{}-lanes.{}", service.name, port.number),
            };
            let place = Place {
                name,
                namespace: group.namespace_of(service),
                parents: json!({"parentRefs": [parent]}),
                of: Implementation::Istio,
            };
            let of_port = place.routes(group, hops(group, service, port));
            routes.extend(of_port.with_context(|| format!("service {}", service.name))?);
        }
    }
    routes.iter().try_for_each(|route| route.add_to(&mut file))?;
    Ok((file, routes))
}

/// The routes of the gateway, whose hosts are among `parents`.
pub(super) fn ingress(group: &LaneGroup, parents: &Value, of: Implementation) -> anyhow::Result<Vec<HttpRoute>> {
    let name = format!("{}-ingress", group.metadata.name);
    let place = Place { name, namespace: &group.metadata.namespace, parents: parents.clone(), of };
    let mut rules = rules::ingress(group);
    if of == Implementation::EnvoyGateway {
        rules.extend(not_found::rest(group, &rules));
    }
    place.routes(group, rules).context("spec.routes")
}

impl HttpRoute {
    pub(super) fn add_to(&self, file: &mut File) -> anyhow::Result<()> {
        let spec = with(self.parents.clone(), json!({"rules": self.rules}));
        file.add(Kind::HTTP_ROUTE, &self.name, &self.namespace, defaults::written_out(spec))
    }

    /// Whether any rule falls back from one Backend of Envoy Gateway to another.
    pub(super) fn falls_back(&self) -> bool {
        self.rules.iter().any(|rule| rule.pointer("/backendRefs/0/kind") == Some(&json!(backend::KIND)))
    }

    fn goes_with(&self, other: &Self) -> bool {
        self.retries == other.retries && self.copies == other.copies
    }

    fn has_room_for(&self, matches: usize) -> bool {
        self.rules.len() < MOST_RULES && self.matches + matches <= MOST_MATCHES_IN_ALL
    }
}

/// Where a list of rules is.
struct Place<'a> {
    name: String,
    namespace: &'a str,
    parents: Value,
    of: Implementation,
}

impl Place<'_> {
    /// What no rule takes is answered with 404.
    fn routes(&self, group: &LaneGroup, mut rules: Vec<Rule>) -> anyhow::Result<Vec<HttpRoute>> {
        rules.retain(|rule| self.of == Implementation::EnvoyGateway || !matches!(rule.action, Action::Reject));
        let routes = self.divided(group, specify(rules.clone(), Ties::WithinRoutes, self.of)?);
        let is_split = routes.iter().any(|route| routes.iter().filter(|other| other.goes_with(route)).count() > 1);
        if is_split { Ok(self.divided(group, specify(rules, Ties::Nowhere, self.of)?)) } else { Ok(routes) }
    }

    fn divided(&self, group: &LaneGroup, rules: Vec<(Rule, Vec<Value>)>) -> Vec<HttpRoute> {
        let mut routes: Vec<HttpRoute> = Vec::new();
        for (rule, matches) in rules {
            let action = self.action(group, &rule);
            for matches in matches.chunks(MOST_MATCHES) {
                let is_everything = matches.iter().any(|one| *one == json!({}));
                let conditions = given(json!({"matches": (!is_everything).then_some(matches)}));
                self.add(&mut routes, &rule, matches.len(), with(conditions, action.clone()));
            }
        }
        routes
    }

    /// Adds to the route of those that are sent again in the same way, if there is room.
    fn add(&self, routes: &mut Vec<HttpRoute>, rule: &Rule, matches: usize, value: Value) {
        let is_of_class = |route: &HttpRoute| route.retries == rule.retries && route.copies == rule.traffic.copies;
        let of_class = || routes.iter().filter(|route| is_of_class(route));
        if !of_class().any(|route| route.has_room_for(matches)) {
            let number = of_class().count() + 1;
            let class = format!("{}{}", copied(rule), rule.retries.as_ref().map(class).unwrap_or_default());
            let number = if number > 1 { format!(".{number}") } else { String::new() };
            routes.push(HttpRoute {
                list: self.name.clone(),
                name: format!("{}{class}{number}", self.name),
                namespace: self.namespace.to_owned(),
                retries: rule.retries.clone(),
                copies: rule.traffic.copies.clone(),
                rules: Vec::new(),
                matches: 0,
                parents: self.parents.clone(),
            });
        }
        let with_room = |route: &&mut HttpRoute| is_of_class(route) && route.has_room_for(matches);
        if let Some(route) = routes.iter_mut().find(with_room) {
            route.rules.push(value);
            route.matches += matches;
        }
    }

    fn action(&self, group: &LaneGroup, rule: &Rule) -> Value {
        let traffic = &rule.traffic;
        let (mut backends, mut redirect) = (Vec::new(), None);
        match &rule.action {
            Action::Forward(destinations) => {
                backends = destinations.iter().flat_map(|to| self.backends(group, to)).collect();
            }
            Action::Redirect(to) => redirect = Some(redirected(to)),
            Action::Reject => redirect = Some(not_found::filter(group)),
        }
        let filters: Vec<Value> = [
            header_filter("RequestHeaderModifier", "requestHeaderModifier", &rule.request_edits(&group.spec)),
            header_filter("ResponseHeaderModifier", "responseHeaderModifier", &traffic.headers.response),
            traffic.cors.as_ref().map(cors),
            traffic.rewrite.as_ref().map(rewritten),
            traffic.mirror.as_ref().map(|mirror| self.mirrored(group, mirror)),
            redirect,
        ]
        .into_iter()
        .flatten()
        .collect();
        let timeouts = traffic.timeout.as_ref().map(|timeout| json!({ "request": timeout }));
        given(json!({"filters": filters, "backendRefs": backends, "timeouts": timeouts}))
    }

    /// Envoy Gateway falls back from one to the other.
    fn backends(&self, group: &LaneGroup, to: &Destination) -> Vec<Value> {
        if self.of == Implementation::EnvoyGateway && to.pool.falls_back() {
            let namespace = Some(group.namespace_of(&to.service)).filter(|namespace| *namespace != self.namespace);
            return backend::names(group, to).map(|name| backend::reference(&name, namespace)).into();
        }
        vec![self.backend(group, to)]
    }

    fn backend(&self, group: &LaneGroup, to: &Destination) -> Value {
        let name = lane_service::name(&to.service, to.pool.lane());
        let backend = self.reference(&name, group.namespace_of(&to.service), to.port.number);
        let (Some(weight), Some(tag)) = (to.weight, &to.tag) else { return backend };
        let set = HeaderEdits { set: [(group.spec.header(), tag.clone())].into(), ..HeaderEdits::default() };
        let filter = header_filter("RequestHeaderModifier", "requestHeaderModifier", &set);
        with(backend, json!({"weight": weight, "filters": [filter]}))
    }

    fn mirrored(&self, group: &LaneGroup, mirror: &Mirror) -> Value {
        let namespace = mirror.namespace.as_ref().unwrap_or(&group.metadata.namespace);
        let to = self.reference(&mirror.service, namespace, mirror.port);
        let percent = (mirror.percent != 100).then_some(mirror.percent);
        json!({"type": "RequestMirror", "requestMirror": given(json!({"backendRef": to, "percent": percent}))})
    }

    fn reference(&self, name: &str, namespace: &str, port: u16) -> Value {
        let namespace = (namespace != self.namespace).then_some(namespace);
        given(json!({"name": name, "namespace": namespace, "port": port}))
    }
}

/// How the HTTPRoute of a rule that is copied is called: all of its rules lead to one port of a service.
fn copied(rule: &Rule) -> String {
    let copied = |Copies { to, .. }: &Copies| format!(".copied-{}-{}", to.service.name, to.port.number);
    rule.traffic.copies.first().map(copied).unwrap_or_default()
}

/// How the HTTPRoute of rules with these retries is called, behind the name that all have.
fn class(retries: &Retrying) -> String {
    let when = match &retries.conditions {
        _ if retries.attempts == 0 => ".never",
        Conditions::NotSent => ".not-sent",
        Conditions::MaybeSent => ".maybe-sent",
        Conditions::Given(_) => "",
    };
    match &retries.of_route {
        Some(route) => format!(".retries-of-{route}{when}"),
        None => when.to_owned(),
    }
}

fn header_filter(kind: &str, field: &str, edits: &HeaderEdits) -> Option<Value> {
    if edits.is_empty() {
        return None;
    }
    let list = |fields: &BTreeMap<String, String>| {
        fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>()
    };
    let modifier = given(json!({"set": list(&edits.set), "add": list(&edits.add), "remove": edits.remove}));
    Some(json!({"type": kind, field: modifier}))
}

fn full_path(uri: &String) -> Value {
    json!({"type": "ReplaceFullPath", "replaceFullPath": uri})
}

fn redirected(Redirect { uri, authority, scheme, port, code }: &Redirect) -> Value {
    let path = uri.as_ref().map(full_path);
    let to = json!({"scheme": scheme, "hostname": authority, "path": path, "port": port, "statusCode": code});
    json!({"type": "RequestRedirect", "requestRedirect": given(to)})
}

fn rewritten(Rewrite { uri, authority }: &Rewrite) -> Value {
    let to = json!({"hostname": authority, "path": uri.as_ref().map(full_path)});
    json!({"type": "URLRewrite", "urlRewrite": given(to)})
}

/// As the document has it, but that ages are numbers of seconds.
fn cors(cors: &Cors) -> Value {
    let (age, credentials) = (cors.max_age.as_ref(), cors.allow_credentials.then_some(true));
    let age = age.map(|age| age.milliseconds() / 1000);
    let cors = with(json!(cors), json!({"maxAge": age, "allowCredentials": credentials}));
    json!({"type": "CORS", "cors": given(cors)})
}
