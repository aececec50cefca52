//! The lane group as it is written. What the types cannot say is said by [`crate::check`].

mod assign;
mod mode;
mod route;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

pub use assign::{Assign, HashFunction, Identity, NamedUsers, Share, Users, Weight};
pub use route::{Route, RouteMatch, StringMatch};

/// A lane group: the lanes of a call chain, what enters them, and who.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LaneGroup {
    /// The version of this document's format.
    pub api_version: ApiVersion,
    /// What the document is.
    pub kind: Kind,
    /// What the lane group is called, and where it is.
    pub metadata: Metadata,
    /// The lane group itself.
    pub spec: Spec,
}

/// The version of the document's format.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
pub enum ApiVersion {
    /// The first.
    #[serde(rename = "trafficlanes.dev/v1alpha1")]
    V1Alpha1,
}

/// What a document is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, Serialize)]
pub enum Kind {
    /// A lane group.
    LaneGroup,
}

/// Name and place, as Kubernetes knows them.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The name that rendered resources are derived from.
    pub name: String,
    /// The namespace of the services.
    #[serde(default = "default_namespace")]
    pub namespace: String,
}

/// The lane group itself.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Whether every lane holds every service.
    pub mode: Mode,
    /// The ingress.
    pub gateway: Gateway,
    /// The header that carries the lane's tag.
    #[serde(default = "default_route_header")]
    pub route_header: String,
    /// How the tag crosses an application; `application` unless given, in strict mode `sourceLabels`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation: Option<Propagation>,
    /// The services of the call chain, whichever lanes they are in.
    pub services: Vec<Service>,
    /// The lane that everything falls back to.
    pub baseline: String,
    /// The lanes, the baseline among them.
    pub lanes: Vec<Lane>,
    /// What enters the lane group, in order.
    pub routes: Vec<Route>,
    /// What happens to a request without a tag: `baseline`, in strict mode `reject`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untagged: Option<Untagged>,
    /// Which requests may be sent twice when a pod fails.
    #[serde(default)]
    pub retries: Retries,
    /// How a request gets its tag; may be left out if the client sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assign: Option<Assign>,
}

/// Whether every lane holds every service.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// It does; a lane that lacks a service at run time answers 503.
    Strict,
    /// A service missing from a lane falls back to the baseline.
    Permissive,
}

/// The ingress gateway.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The labels of its pods.
    pub selector: BTreeMap<String, String>,
    /// Where its pods are.
    #[serde(default = "default_gateway_namespace")]
    pub namespace: String,
    /// The hosts that it serves: names, `*.` and a domain, or `*`.
    #[serde(default = "every_host")]
    pub hosts: Vec<String>,
    /// The port that it serves them on.
    #[serde(default = "default_gateway_port")]
    pub port: u16,
}

/// How the tag crosses an application. Exactly one.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum Propagation {
    /// Sidecars remember which trace id came with which tag; the application forwards the trace header.
    Trace(Trace),
    /// The tag travels in W3C baggage, which the application's OpenTelemetry SDK forwards.
    Baggage(Baggage),
    /// The application forwards the route header itself.
    Application,
    /// The application forwards nothing; the label of the calling pod decides. A lane does not survive a fallback.
    SourceLabels,
}

/// Propagation by trace id.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The trace header: what the application forwards, such as `x-request-id` or `traceparent`.
    pub header: String,
}

/// Propagation by baggage.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Baggage {
    /// The key of the baggage member; the route header's name unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A service of the call chain.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name of the Kubernetes service.
    pub name: String,
    /// Its port.
    pub port: u16,
    /// What is spoken on the port, as the port's name tells Istio.
    #[serde(default, skip_serializing_if = "Protocol::is_http")]
    pub protocol: Protocol,
}

/// What is spoken on a service's port.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
}

/// A lane.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// The lane's name, which is its tag as well.
    pub name: String,
    /// The labels of its pods.
    pub labels: BTreeMap<String, String>,
    /// The services that it holds.
    pub services: Vec<String>,
}

/// What happens to a request without a tag.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Untagged {
    /// It goes to the baseline.
    Baseline,
    /// It is answered with 404.
    Reject,
}

/// Which requests may be sent twice when a pod fails.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retries {
    /// Those whose method is idempotent (RFC 9110, section 9.2.2); others only if they cannot have reached the application.
    #[default]
    Idempotent,
    /// All of them.
    Always,
    /// None.
    Never,
}

/// By hand for what [`StringMatch`] is written by hand for.
impl Serialize for Propagation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Trace(trace) => serializer.collect_map([("trace", trace)]),
            Self::Baggage(baggage) => serializer.collect_map([("baggage", baggage)]),
            Self::Application => serializer.serialize_str("application"),
            Self::SourceLabels => serializer.serialize_str("sourceLabels"),
        }
    }
}

impl Protocol {
    fn is_http(&self) -> bool {
        *self == Self::Http
    }
}

fn default_namespace() -> String {
    "default".to_owned()
}

fn default_gateway_namespace() -> String {
    "istio-system".to_owned()
}

fn default_route_header() -> String {
    "x-asm-prefer-tag".to_owned()
}

fn every_host() -> Vec<String> {
    vec!["*".to_owned()]
}

fn default_gateway_port() -> u16 {
    80
}
