//! VirtualServices: rules in Istio's words.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resource::Kind;
use crate::{
    document::{LaneGroup, StringMatch},
    render::rules::{Condition, Destination, Resend, Rule},
};

/// The request cannot have reached the application. Istio's own default.
const NOT_SENT: &str = "connect-failure,refused-stream,unavailable,cancelled";
/// It may have. Without `reset`, requests in flight are lost with the pod.
const MAYBE_SENT: &str = "connect-failure,refused-stream,unavailable,cancelled,503,reset";

/// Where the requests of some hosts go.
#[derive(Serialize)]
pub(super) struct VirtualService {
    hosts: Vec<String>,
    /// The gateways that it is for; none for the mesh.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gateways: Vec<String>,
    http: Vec<HttpRoute>,
}

#[derive(Serialize)]
struct HttpRoute {
    name: String,
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    matches: Vec<HttpMatch>,
    route: Vec<HttpRouteDestination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<HttpRetry>,
}

#[derive(Serialize)]
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
}

#[derive(Serialize)]
struct HttpRouteDestination {
    destination: Subset,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
}

#[derive(Serialize)]
struct Subset {
    host: String,
    subset: String,
}

#[derive(Serialize)]
struct Headers {
    request: HeaderEdit,
}

#[derive(Serialize)]
struct HeaderEdit {
    set: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpRetry {
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_on: Option<&'static str>,
    /// Envoy's `previous_priorities`, updated every second attempt: after the lane's pods, the baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_remote_localities: Option<bool>,
}

impl VirtualService {
    /// For the gateways, or for the mesh if there are none.
    pub(super) fn new(group: &LaneGroup, hosts: Vec<String>, gateways: Vec<String>, rules: Vec<Rule>) -> Self {
        Self { hosts, gateways, http: rules.into_iter().map(|rule| HttpRoute::new(group, rule)).collect() }
    }
}

impl HttpRoute {
    fn new(group: &LaneGroup, rule: Rule) -> Self {
        let Rule { name, conditions, destinations, retries } = rule;
        let route = destinations.into_iter().map(|destination| HttpRouteDestination::new(group, destination));
        Self {
            name,
            matches: conditions.into_iter().map(HttpMatch::from).collect(),
            route: route.collect(),
            retries: retries.map(HttpRetry::from),
        }
    }
}

impl HttpRouteDestination {
    fn new(group: &LaneGroup, destination: Destination) -> Self {
        let Destination { service, lane, weight, sets_tag } = destination;
        let set = || HeaderEdit { set: [(group.spec.header(), lane.clone())].into() };
        let headers = sets_tag.then(|| Headers { request: set() });
        Self { destination: Subset { host: group.host(&service), subset: lane }, weight, headers }
    }
}

impl From<Condition> for HttpMatch {
    fn from(Condition { uri, headers, source_labels, method }: Condition) -> Self {
        Self { uri, headers, source_labels, method }
    }
}

impl From<Resend> for HttpRetry {
    fn from(resend: Resend) -> Self {
        let when = |on| Self { attempts: 2, retry_on: Some(on), retry_remote_localities: Some(true) };
        match resend {
            Resend::Never => Self { attempts: 0, retry_on: None, retry_remote_localities: None },
            Resend::NotSent => when(NOT_SENT),
            Resend::MaybeSent => when(MAYBE_SENT),
        }
    }
}

impl Kind for VirtualService {
    const API_VERSION: &'static str = "networking.istio.io/v1";
    const KIND: &'static str = "VirtualService";
}
