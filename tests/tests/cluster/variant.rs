//! The ways in which a lane group is rendered for Istio.

use std::fs;

use anyhow::{Context, Result};
use local_mesh::WALKTHROUGHS;
use serde_json::{Value, json};
use traffic_lanes_tests::repository;

/// A way of rendering.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// The arguments of `lanes render istio`.
    pub(crate) arguments: &'static [&'static str],
    /// What is different in the lane group, in YAML.
    group: &'static str,
    /// The walkthroughs whose application must forward the tag for it, whatever their lane group says.
    forwarding: &'static [&'static str],
}

pub(crate) const VARIANTS: [Variant; 5] = [
    Variant { name: "VirtualServices", arguments: &[], group: "{}", forwarding: &[] },
    Variant {
        name: "VirtualServices, Istio 1.31, declared",
        arguments: &["--istio=1.31"],
        group: "spec: {membership: declared}",
        forwarding: &[],
    },
    // Waypoints run no filter.
    Variant { name: "ambient", arguments: &["--ambient"], group: "{}", forwarding: &WALKTHROUGHS },
    Variant { name: "Gateway API", arguments: &["--routing=gateway-api"], group: "{}", forwarding: &OF_SOURCE_LABELS },
    Variant {
        name: "Gateway API, Istio 1.31, declared",
        arguments: &["--routing=gateway-api", "--istio=1.31"],
        group: "spec: {membership: declared}",
        forwarding: &OF_SOURCE_LABELS,
    },
];

/// An HTTPRoute does not see the labels of the calling pod.
const OF_SOURCE_LABELS: [&str; 2] = ["strict", "strict-source-labels"];

impl Variant {
    /// The lane group of a walkthrough, in this way and in that namespace.
    pub(crate) fn group(&self, walkthrough: &str, namespace: &str) -> Result<String> {
        let path = repository().join("manifests").join(walkthrough).join("lane-group.yaml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mut group: Value = serde_saphyr::from_str(&text)?;
        merge(&mut group, serde_saphyr::from_str(self.group)?);
        merge(&mut group, json!({"metadata": {"namespace": namespace}}));
        if self.forwarding.contains(&walkthrough) {
            merge(&mut group, json!({"spec": {"propagation": "application"}}));
        }
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
