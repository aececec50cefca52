//! How the filters get into the proxies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the filters get into the proxies: the fields of a WasmPlugin that are not the filter's own.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Filters {
    /// The modules' url; `{module}` in it is replaced by hash-tagging, hash-tagging-cookie, baggage-propagation or trace-propagation.
    pub image: Option<String>,
    /// The Secret with the registry's credentials. It must be in every namespace that a filter is in.
    pub pull_secret: Option<String>,
    /// When an image is fetched; as Istio has it unless given.
    pub pull_policy: Option<PullPolicy>,
    /// What becomes of requests while a module cannot run.
    #[serde(default)]
    pub fail_strategy: FailStrategy,
    /// Where in the gateway's filters hash-tagging is.
    #[serde(default)]
    pub phase: Phase,
    /// The place among the filters of that phase: the highest comes first.
    pub priority: Option<i32>,
}

/// When an image is fetched.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PullPolicy {
    /// Once for each url and digest.
    IfNotPresent,
    /// Whenever the resource changes.
    Always,
}

/// What becomes of requests while a module cannot run.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailStrategy {
    /// They pass without it, and so without a tag.
    #[default]
    FailOpen,
    /// They are refused: 403 while the image cannot be fetched, 503 when the module has failed.
    FailClose,
    /// A module that has failed is started again; refused while the image cannot be fetched.
    FailReload,
}

/// Where in a proxy's filters a module is (Istio's PluginPhase).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Phase {
    /// Before authentication: a claim that RequestAuthentication copies into a header is not seen, the client's own header is.
    Authn,
    /// Behind authentication, before authorization.
    #[default]
    Authz,
    /// Behind authorization.
    Stats,
}

impl Filters {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
