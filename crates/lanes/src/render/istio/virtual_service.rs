//! The shape of a VirtualService.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resource::Kind;
use crate::document::StringMatch;

/// Where the requests of some hosts go.
#[derive(Serialize)]
pub(super) struct VirtualService {
    pub(super) hosts: Vec<String>,
    /// The gateways that it is for; none for the mesh.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) gateways: Vec<String>,
    pub(super) http: Vec<HttpRoute>,
}

/// A rule. The first that matches takes the request.
#[derive(Clone, Serialize)]
pub(super) struct HttpRoute {
    pub(super) name: String,
    /// Of which one must hold; every request if there are none.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub(super) matches: Vec<HttpMatch>,
    pub(super) route: Vec<Destination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retries: Option<HttpRetry>,
}

/// Conditions that must all hold.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HttpMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<StringMatch>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, StringMatch>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) source_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<StringMatch>,
}

/// A subset of a service, and its share.
#[derive(Clone, Serialize)]
pub(super) struct Destination {
    destination: Subset,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
}

#[derive(Clone, Serialize)]
struct Subset {
    host: String,
    subset: String,
}

#[derive(Clone, Serialize)]
struct Headers {
    request: HeaderEdits,
}

#[derive(Clone, Serialize)]
struct HeaderEdits {
    set: BTreeMap<String, String>,
}

/// When a request is sent again.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HttpRetry {
    pub(super) attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_on: Option<&'static str>,
    /// Envoy's `previous_priorities`, updated every second attempt: after the lane's pods, the baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_remote_localities: Option<bool>,
}

impl Destination {
    pub(super) fn new(host: &str, lane: &str) -> Self {
        let destination = Subset { host: host.to_owned(), subset: lane.to_owned() };
        Self { destination, weight: None, headers: None }
    }

    pub(super) fn weighing(self, weight: u32) -> Self {
        Self { weight: Some(weight), ..self }
    }

    /// Sets a header of the requests that come this way.
    pub(super) fn setting(self, header: &str, value: &str) -> Self {
        let set = [(header.to_owned(), value.to_owned())].into();
        Self { headers: Some(Headers { request: HeaderEdits { set } }), ..self }
    }
}

impl Kind for VirtualService {
    const API_VERSION: &'static str = "networking.istio.io/v1";
    const KIND: &'static str = "VirtualService";
}
