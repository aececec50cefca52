//! What a route does besides choosing a lane: what teams have on the routes that they have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;

/// A route's own retries.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RouteRetries {
    /// How often a request is sent again, at most; 0 for never.
    pub attempts: u32,
    /// How long each try may take.
    pub per_try_timeout: Option<Duration>,
    /// When: Envoy's conditions and status codes, such as `connect-failure,503`. What the lane group says unless given.
    pub retry_on: Option<String>,
}

/// How a request is changed on its way to the service.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// What takes the place of the path that was asked for (`exact`), or of its beginning (`prefix`).
    pub uri: Option<String>,
    /// What takes the place of the host.
    pub authority: Option<String>,
}

/// Where a client is sent.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The path; the request's unless given.
    pub uri: Option<String>,
    /// The host; the request's unless given.
    pub authority: Option<String>,
    /// `http` or `https`; the request's unless given.
    pub scheme: Option<String>,
    /// The port; the scheme's unless given.
    pub port: Option<u16>,
    /// 301, 302, 303, 307 or 308.
    #[serde(default = "moved_permanently")]
    pub code: u16,
}

/// Which pages of other origins may call (the Fetch standard's CORS protocol).
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cors {
    /// Origins, such as `https://shop.example.com`.
    pub allow_origins: Vec<String>,
    /// Methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Headers of requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Headers of answers that pages may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How long a browser may remember the answer.
    pub max_age: Option<Duration>,
    /// Whether pages may send cookies.
    #[serde(default)]
    pub allow_credentials: bool,
}

/// Changes of headers.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// Of the request.
    #[serde(default)]
    pub request: HeaderEdits,
    /// Of the answer.
    #[serde(default)]
    pub response: HeaderEdits,
}

/// Changes of the headers of one direction.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderEdits {
    /// Headers that get this value, whatever was there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Headers that get this value beside what was there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// Headers that are taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Where copies of requests go; their answers are thrown away.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// The Kubernetes service, in the lane group or not.
    pub service: String,
    /// Its namespace; the lane group's unless given.
    pub namespace: Option<String>,
    /// Its port.
    pub port: u16,
    /// Of how many requests of a hundred.
    #[serde(default = "all")]
    pub percent: u8,
}

impl HeaderEdits {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn moved_permanently() -> u16 {
    301
}

fn all() -> u8 {
    100
}
