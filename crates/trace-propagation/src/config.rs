//! The configuration as it is written: the shape of `pluginConfig`, before anything is checked beyond it.

use plugin_config::{FromConfig, Problem, Value, Whole};

/// The whole `pluginConfig`.
#[derive(Debug)]
pub struct Config {
    /// The header that the application forwards.
    pub trace_header: String,
    /// The headers that carry a tag; an id brings all of them back.
    pub route_headers: Vec<String>,
    /// How long an id is remembered after a request came in with it, in seconds.
    pub ttl_seconds: Whole,
    /// How many ids are remembered at most.
    pub slots: Whole,
    /// The label of the pod whose value is the tag of requests that have no other.
    pub label_tag: Option<String>,
    /// Which way requests go.
    pub direction: DirectionConfig,
}

/// Which way requests go, seen from the pod.
#[derive(Clone, Copy, Debug, Default)]
pub enum DirectionConfig {
    /// As the listener says, request by request.
    #[default]
    Auto,
    /// To the application.
    Inbound,
    /// From the application.
    Outbound,
}

fn five_minutes() -> Whole {
    Whole(300)
}

fn sixteen_thousand() -> Whole {
    Whole(16384)
}

impl FromConfig for Config {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["traceHeader", "routeHeaders", "ttlSeconds", "slots", "labelTag", "direction"];
        let object = value.object(&fields, "an object with `traceHeader` and `routeHeaders`")?;
        Ok(Self {
            trace_header: object.required("traceHeader")?,
            route_headers: object.required("routeHeaders")?,
            ttl_seconds: object.or("ttlSeconds", five_minutes())?,
            slots: object.or("slots", sixteen_thousand())?,
            label_tag: object.optional("labelTag")?,
            direction: object.or_default("direction")?,
        })
    }
}

impl FromConfig for DirectionConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[("auto", Self::Auto), ("inbound", Self::Inbound), ("outbound", Self::Outbound)])
    }
}
