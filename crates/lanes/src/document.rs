//! The lane group as it is written. What the types cannot say is said by [`crate::check`].

mod assign;
mod duration;
mod filters;
mod gateway;
mod mesh;
mod route;
mod service;
mod traffic;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::without_nulls;

pub use assign::{Assign, HashFunction, Identity, Issue, NamedUsers, Share, Tagging, Users, Weight};
pub use duration::Duration;
pub use filters::{FailStrategy, Filters, Phase, PullPolicy};
pub use gateway::{Gateway, GatewayPort, GatewayRef};
pub use mesh::{IstioVersion, Mesh, Routing};
pub use route::{Route, RouteMatch, StringMatch};
pub use service::{Lane, LaneMirror, Protocol, Service, ServicePort, TargetPort};
pub use traffic::{Cors, HeaderEdits, Headers, Mirror, Redirect, Rewrite, RouteRetries};

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
    /// What the mesh is like.
    #[serde(default, skip_serializing_if = "Mesh::is_default")]
    pub mesh: Mesh,
    /// The ingress; none if the lanes begin inside the mesh, where callers bring the tag.
    pub gateway: Option<Gateway>,
    /// The header that carries the lane's tag.
    #[serde(default = "default_route_header")]
    pub route_header: String,
    /// How the tag crosses an application; `application` unless given, in strict mode `sourceLabels`.
    pub propagation: Option<Propagation>,
    /// The services of the call chain, whichever lanes they are in.
    pub services: Vec<Service>,
    /// The lane that everything falls back to.
    pub baseline: String,
    /// The lanes, the baseline among them.
    pub lanes: Vec<Lane>,
    /// Whether a service has a place for every lane, or for those only that name it; `discovered` unless given.
    #[serde(default, skip_serializing_if = "Membership::is_default")]
    pub membership: Membership,
    /// What enters the lane group, in order; none without a gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// What happens to a request without a tag: `baseline`, in strict mode `reject`.
    pub untagged: Option<Untagged>,
    /// Which requests may be sent twice when a pod fails.
    #[serde(default)]
    pub retries: Retries,
    /// How a request gets its tag; may be left out if the client sends it.
    pub assign: Option<Assign>,
    /// Whether clients may choose a lane, by the route header or the baggage: `mayNot` with `assign`, else `mayChoose`.
    pub clients: Option<Clients>,
    /// How the filters get into the proxies.
    #[serde(default, skip_serializing_if = "Filters::is_default")]
    pub filters: Filters,
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

/// Which lanes a service has a place for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// All: a service that joins a lane, or leaves it, needs nothing new. The cost grows as services times lanes.
    #[default]
    Discovered,
    /// Those that name it: a service that joins a lane needs a new rendering. The cost grows with what the lanes hold.
    Declared,
}

/// How the tag crosses an application. Exactly one.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
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
    pub key: Option<String>,
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

/// Whether clients may choose a lane.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Clients {
    /// A tag that comes from outside counts, unless `assign` or a route with `lane` decides otherwise.
    MayChoose,
    /// The gateway takes away every tag that comes from outside, in the route header and in the baggage, before its routes are
    /// asked.
    MayNot,
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

impl Spec {
    /// The lane of a name.
    pub fn lane(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }

    /// How users are assigned, if they are what lanes are assigned by.
    pub fn users(&self) -> Option<&Users> {
        self.assign.as_ref()?.users.as_ref()
    }

    /// How users are assigned by the gateway's routes, and the header that says who they are; `None` where the filter assigns them.
    pub(crate) fn native_users(&self) -> Option<(&Users, &str)> {
        let users = self.users().filter(|users| users.tagging == Tagging::Native)?;
        Some((users, users.identity.first()?.header.as_deref()?))
    }

    /// The lanes' weights, if they are what lanes are assigned by.
    pub fn weights(&self) -> Option<&[Weight]> {
        self.assign.as_ref()?.weights.as_deref()
    }

    /// What happens to a request without a tag: as given, or as the mode has it.
    pub fn untagged(&self) -> Untagged {
        self.untagged.unwrap_or(match self.mode {
            Mode::Strict => Untagged::Reject,
            Mode::Permissive => Untagged::Baseline,
        })
    }

    /// Whether clients may choose a lane: as given, or not where the group assigns lanes itself. Without `assign` the client's
    /// tag is the way in.
    pub fn clients(&self) -> Clients {
        self.clients.unwrap_or(match self.assign {
            Some(_) => Clients::MayNot,
            None => Clients::MayChoose,
        })
    }

    /// Whether the hash-tagging filter assigns lanes.
    pub(crate) fn has_filter_at_gateway(&self) -> bool {
        self.users().is_some() && self.native_users().is_none()
    }

    /// Whether a request may have a tag when the gateway's routes are asked: its own, or the one that the filter gave it.
    pub(crate) fn has_tag_at_gateway(&self) -> bool {
        self.has_filter_at_gateway() || self.clients() == Clients::MayChoose
    }

    /// How the tag crosses an application: as given, or as the mode has it.
    pub fn propagation(&self) -> Propagation {
        self.propagation.clone().unwrap_or(match self.mode {
            Mode::Strict => Propagation::SourceLabels,
            Mode::Permissive => Propagation::Application,
        })
    }
}

impl LaneGroup {
    /// As JSON, without what is not given.
    ///
    /// # Errors
    /// None that is known: what is written are texts and numbers.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self).map(without_nulls)
    }
}

impl Membership {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn default_namespace() -> String {
    "default".to_owned()
}

fn default_route_header() -> String {
    "x-asm-prefer-tag".to_owned()
}
