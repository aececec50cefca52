//! VirtualServices: rules in Istio's words.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::resource::{Kind, exports};
use crate::{
    document::{Cors, HeaderEdits, LaneGroup, Mirror, Redirect, Rewrite, Service, ServicePort, StringMatch},
    json::with,
    render::rules::{Action, Condition, Destination, Retrying, Rule, hops},
};

/// Where the requests of some hosts go.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VirtualService {
    hosts: Vec<String>,
    /// The gateways that it is for; none for the mesh.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gateways: Vec<String>,
    export_to: Vec<String>,
    http: Vec<HttpRoute>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpRoute {
    name: String,
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    matches: Vec<HttpMatch>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    route: Vec<HttpRouteDestination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct_response: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<Rewrite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<HttpRetry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mirrors: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors_policy: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Value>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<StringMatch>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, StringMatch>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    source_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<StringMatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

#[derive(Serialize)]
struct HttpRouteDestination {
    destination: Subset,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Value>,
}

#[derive(Serialize)]
struct Subset {
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subset: Option<String>,
    /// Without, Istio takes the port that the request came to: at a gateway its own, and in the mesh that of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpRetry {
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_try_timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_on: Option<String>,
    /// Envoy's `previous_priorities`, updated every second attempt: after the lane's pods, the baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_remote_localities: Option<bool>,
}

impl VirtualService {
    /// For the gateway, by its name.
    pub(super) fn ingress(group: &LaneGroup, hosts: Vec<String>, gateway: String, rules: Vec<Rule>) -> Self {
        let http = rules.into_iter().map(|rule| HttpRoute::new(group, rule)).collect();
        Self { hosts, gateways: vec![gateway], export_to: exports(group), http }
    }

    /// For the mesh: each port of the service that is in the lanes, and the others as they were.
    pub(super) fn mesh(group: &LaneGroup, service: &Service) -> Self {
        let of_port = |(index, port): (usize, ServicePort)| {
            let rules = hops(group, service, &port).into_iter();
            rules.map(move |rule| HttpRoute::new(group, rule).on(&port, index > 0)).collect::<Vec<_>>()
        };
        let mut http: Vec<HttpRoute> = service.ports().into_iter().enumerate().flat_map(of_port).collect();
        let as_before = Subset { host: group.host(service), subset: None, port: None };
        let route = vec![HttpRouteDestination { destination: as_before, weight: None, headers: None }];
        http.push(HttpRoute { name: "other-ports".to_owned(), route, ..HttpRoute::default() });
        Self { hosts: vec![group.host(service)], gateways: Vec::new(), export_to: exports(group), http }
    }
}

impl HttpRoute {
    fn new(group: &LaneGroup, rule: Rule) -> Self {
        let Rule { name, conditions, action, retries, traffic } = rule;
        let (mut route, mut redirect, mut direct_response) = (Vec::new(), None, None);
        match action {
            Action::Forward(destinations) => {
                route = destinations.into_iter().map(|to| HttpRouteDestination::new(group, to)).collect();
            }
            Action::Redirect(to) => redirect = Some(redirected(to)),
            Action::Reject => direct_response = Some(json!({"status": 404})),
        }
        Self {
            name,
            matches: conditions.into_iter().map(HttpMatch::from).collect(),
            route,
            redirect,
            direct_response,
            rewrite: traffic.rewrite,
            timeout: traffic.timeout.map(|timeout| timeout.to_string()),
            retries: retries.map(HttpRetry::from),
            mirrors: traffic.mirror.iter().map(|mirror| mirrored(group, mirror)).collect(),
            cors_policy: traffic.cors.as_ref().map(cors),
            headers: headers(&traffic.headers.request, &traffic.headers.response),
        }
    }

    /// For one port only, which the name says unless it is the first.
    fn on(mut self, port: &ServicePort, is_named: bool) -> Self {
        if self.matches.is_empty() {
            self.matches.push(HttpMatch::default());
        }
        self.matches.iter_mut().for_each(|condition| condition.port = Some(port.number));
        if is_named {
            self.name = format!("{}-{}", self.name, port.number);
        }
        self
    }
}

impl HttpRouteDestination {
    fn new(group: &LaneGroup, destination: Destination) -> Self {
        let Destination { service, port, pool, weight, tag } = destination;
        let set = |tag: String| HeaderEdits { set: [(group.spec.header(), tag)].into(), ..HeaderEdits::default() };
        let headers = tag.and_then(|tag| headers(&set(tag), &HeaderEdits::default()));
        let (subset, port) = (Some(pool.lane().to_owned()), Some(json!({"number": port.number})));
        Self { destination: Subset { host: group.host(&service), subset, port }, weight, headers }
    }
}

impl From<Condition> for HttpMatch {
    fn from(Condition { uri, headers, source_labels, method }: Condition) -> Self {
        Self { uri, headers, source_labels, method, port: None }
    }
}

impl From<Retrying> for HttpRetry {
    fn from(retrying: Retrying) -> Self {
        let Retrying { attempts, conditions, per_try_timeout, to_baseline, .. } = retrying;
        if attempts == 0 {
            return Self { attempts, per_try_timeout: None, retry_on: None, retry_remote_localities: None };
        }
        let (on, codes) = conditions.parts();
        let parts: Vec<String> = on.into_iter().map(str::to_owned).chain(codes.iter().map(u16::to_string)).collect();
        Self {
            attempts,
            per_try_timeout: per_try_timeout.map(|timeout| timeout.to_string()),
            retry_on: Some(parts.join(",")),
            retry_remote_localities: to_baseline.then_some(true),
        }
    }
}

fn headers(request: &HeaderEdits, response: &HeaderEdits) -> Option<Value> {
    let mut headers = json!({});
    for (direction, edits) in [("request", request), ("response", response)] {
        if !edits.is_empty() {
            headers = with(headers, json!({ direction: edits }));
        }
    }
    (headers != json!({})).then_some(headers)
}

fn redirected(Redirect { uri, authority, scheme, port, code }: Redirect) -> Value {
    let parts = [
        uri.map(|uri| json!({ "uri": uri })),
        authority.map(|authority| json!({ "authority": authority })),
        scheme.map(|scheme| json!({ "scheme": scheme })),
        port.map(|port| json!({ "port": port })),
        Some(json!({ "redirectCode": code })),
    ];
    parts.into_iter().flatten().fold(json!({}), with)
}

fn mirrored(group: &LaneGroup, mirror: &Mirror) -> Value {
    let host = group.host_of(&mirror.service, mirror.namespace.as_ref().unwrap_or(&group.metadata.namespace));
    json!({
        "destination": {"host": host, "port": {"number": mirror.port}},
        "percentage": {"value": mirror.percent},
    })
}

fn cors(cors: &Cors) -> Value {
    let origins: Vec<Value> = cors.allow_origins.iter().map(|origin| json!({ "exact": origin })).collect();
    let mut policy = json!({ "allowOrigins": origins });
    for (field, names) in [
        ("allowMethods", &cors.allow_methods),
        ("allowHeaders", &cors.allow_headers),
        ("exposeHeaders", &cors.expose_headers),
    ] {
        if !names.is_empty() {
            policy = with(policy, json!({ field: names }));
        }
    }
    if let Some(age) = &cors.max_age {
        policy = with(policy, json!({"maxAge": age.to_string()}));
    }
    if cors.allow_credentials {
        policy = with(policy, json!({"allowCredentials": true}));
    }
    policy
}

impl Kind for VirtualService {
    const API_VERSION: &'static str = "networking.istio.io/v1";
    const KIND: &'static str = "VirtualService";
}
