//! What enters a lane group.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way into the lane group. The first that matches takes the request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// What the rendered route is called.
    pub name: String,
    /// The service that the request goes to.
    pub service: String,
    /// Conditions, of which one must hold; every request unless given.
    #[serde(default)]
    pub r#match: Vec<RouteMatch>,
    /// The lane that the request goes to, whatever its tag; the route header is set to it. Unless given, the tag decides.
    pub lane: Option<String>,
}

/// Conditions that must all hold, in the words of an Istio VirtualService.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteMatch {
    /// The path without its query.
    pub uri: Option<StringMatch>,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, StringMatch>,
    /// The method.
    pub method: Option<StringMatch>,
}

/// How a text is compared. Exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum StringMatch {
    /// It is this text.
    Exact(String),
    /// It starts with this text.
    Prefix(String),
    /// It matches this regular expression of RE2, from its start to its end.
    Regex(String),
}
