//! The configuration as it is written: the shape of `pluginConfig`, before anything is checked beyond it.

use plugin_config::WholeNumber;
use serde::Deserialize;

/// The whole `pluginConfig`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "an object with `traceHeader` and `routeHeaders`")]
pub struct Config {
    /// The header that the application forwards.
    pub trace_header: String,
    /// The headers that carry a tag; an id brings all of them back.
    pub route_headers: Vec<String>,
    /// How long an id is remembered after a request came in with it, in seconds.
    #[serde(default = "five_minutes")]
    pub ttl_seconds: WholeNumber,
    /// How many ids are remembered at most.
    #[serde(default = "sixteen_thousand")]
    pub slots: WholeNumber,
    /// The label of the pod whose value is the tag of requests that have no other.
    pub label_tag: Option<String>,
    /// Which way requests go.
    #[serde(default)]
    pub direction: DirectionConfig,
}

/// Which way requests go, seen from the pod.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum DirectionConfig {
    /// As the listener says, request by request.
    #[default]
    Auto,
    /// To the application.
    Inbound,
    /// From the application.
    Outbound,
}

fn five_minutes() -> WholeNumber {
    WholeNumber(300)
}

fn sixteen_thousand() -> WholeNumber {
    WholeNumber(16384)
}
