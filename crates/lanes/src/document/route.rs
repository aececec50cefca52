//! What enters a lane group.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cors, Duration, Headers, Mirror, Redirect, Rewrite, RouteRetries};

/// A way into the lane group. The first that matches takes the request.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Route {
    /// What the rendered route is called.
    pub name: String,
    /// The service that the request goes to; none if it is redirected.
    pub service: Option<String>,
    /// The service's port; its first unless given.
    pub port: Option<u16>,
    /// Conditions, of which one must hold; every request unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub r#match: Vec<RouteMatch>,
    /// The lane that the request goes to, whatever its tag; the route header is set to it. Unless given, the tag decides.
    pub lane: Option<String>,
    /// How long an answer may take.
    pub timeout: Option<Duration>,
    /// Retries of its own, instead of the lane group's.
    pub retries: Option<RouteRetries>,
    /// What is changed of the request.
    pub rewrite: Option<Rewrite>,
    /// Where the client is sent instead of a service.
    pub redirect: Option<Redirect>,
    /// Which pages of other origins may call.
    pub cors: Option<Cors>,
    /// Changes of headers.
    pub headers: Option<Headers>,
    /// Where copies of the requests go.
    pub mirror: Option<Mirror>,
}

/// Conditions that must all hold, in the words of an Istio VirtualService.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RouteMatch {
    /// The path without its query.
    pub uri: Option<StringMatch>,
    /// Headers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatch>,
    /// The method.
    pub method: Option<StringMatch>,
}

/// How a text is compared. Exactly one.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum StringMatch {
    /// It is this text.
    Exact(String),
    /// It starts with this text.
    Prefix(String),
    /// It matches this regular expression of RE2, from its start to its end.
    Regex(String),
}
