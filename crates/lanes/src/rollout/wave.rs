use serde::Serialize;
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};

use super::Resource;
use crate::render::istio::{Stage, resource::STAGE};

/// What is written together: the stages, of which two are in two parts. In this order something comes, in the opposite it goes.
#[derive(Clone, Copy, Debug, Eq, IntoStaticStr, PartialEq, Serialize, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Wave {
    /// Pods as clusters, and leave to send requests to them.
    Clusters,
    /// Clusters that fall back, once the clusters are there that they consist of: an aggregate that takes the place of one in use
    /// has none of its pods before.
    Fallback,
    /// The filters of the sidecars.
    Propagation,
    /// Where requests go at every hop.
    Routes,
    /// What enters.
    Gateway,
    /// With which tag, once there is a route for every tag.
    Tagging,
}

impl Wave {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The wave of a resource. What says no stage comes first and goes last.
    pub fn of(resource: &Resource) -> Self {
        let stage = resource.label(STAGE).and_then(|name| name.parse().ok()).unwrap_or(Stage::Clusters);
        match (stage, resource.kind()) {
            (Stage::Clusters, "EnvoyFilter") => Self::Fallback,
            // Without it, a route is answered with 500.
            (Stage::Clusters, _) | (_, "ReferenceGrant") => Self::Clusters,
            (Stage::Propagation, _) => Self::Propagation,
            (Stage::Routes, _) => Self::Routes,
            (Stage::Gateway, "WasmPlugin" | "TrafficExtension") => Self::Tagging,
            (Stage::Gateway, _) => Self::Gateway,
        }
    }
}

/// The order within a wave. An HTTPRoute with a rule for every request comes before those with rules for some, and goes after
/// them: alone, they answer all others with 404.
pub(super) fn rank(resource: &Resource) -> u8 {
    match resource.kind() {
        "Gateway" => 0,
        "HTTPRoute" if takes_everything(resource) => 1,
        "HTTPRoute" => 2,
        _ => 3,
    }
}

fn takes_everything(route: &Resource) -> bool {
    let rules = route.list("/spec/rules").iter();
    let mut matches = rules.map(|rule| rule.get("matches").and_then(Value::as_array));
    matches.any(|matches| matches.is_none_or(|matches| matches.iter().any(is_everything)))
}

/// Whether a match asks for no more than a path below `/`.
fn is_everything(one: &Value) -> bool {
    one.as_object().is_some_and(|fields| {
        fields.iter().all(|(field, value)| field == "path" && value.get("value").is_none_or(|path| path == "/"))
    })
}
