//! The ways in which a lane group is rendered for Istio.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use traffic_lanes_tests::repository;

/// A way of rendering.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// The arguments of `lanes render istio`.
    pub(crate) arguments: &'static [&'static str],
    /// What is different in the lane group, in YAML.
    pub(crate) group: &'static str,
}

pub(crate) const VARIANTS: [Variant; 3] = [
    Variant { name: "wasmplugin", arguments: &[], group: "{}" },
    Variant { name: "trafficextension", arguments: &["--resource", "trafficextension"], group: "{}" },
    // Waypoints run no filter, so the application must forward the tag.
    Variant { name: "ambient", arguments: &["--ambient"], group: "spec: {propagation: application}" },
];

impl Variant {
    /// The lane group of a walkthrough, in this way and in that namespace.
    pub(crate) fn group(&self, walkthrough: &str, namespace: &str) -> Result<String> {
        let path = repository().join("manifests").join(walkthrough).join("lane-group.yaml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mut group: Value = serde_saphyr::from_str(&text)?;
        merge(&mut group, serde_saphyr::from_str(self.group)?);
        merge(&mut group, json!({"metadata": {"namespace": namespace}}));
        Ok(group.to_string())
    }
}

/// Maps are merged, everything else is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
