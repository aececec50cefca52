//! A healthy cluster, changed in one place at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use lanes::{
    document::LaneGroup,
    finding::Severity,
    preflight::{Anchor, Cluster, Finding, Gap, preflight},
};
use serde::Deserialize;
use serde_json::{Value, json};
use strum::VariantArray;

use crate::{group, published, read};

/// One change of the healthy cluster.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Objects that are gone.
    #[serde(default)]
    remove: Vec<String>,
    /// Objects that are there as well.
    #[serde(default)]
    add: Vec<Value>,
    /// Objects that are different (RFC 7396).
    #[serde(default)]
    change: BTreeMap<String, Value>,
    /// Text of the lane group that is different.
    #[serde(default)]
    group: BTreeMap<String, String>,
    /// The anchors of what is found, in order.
    finds: Vec<String>,
}

static PUBLISHED: LazyLock<LaneGroup> = LazyLock::new(|| group(&published()));
const FILES: [&str; 6] = ["gateway", "services", "pods", "other-resources", "mesh", "versions"];

#[test]
fn healthy_clusters_have_no_findings() {
    assert_eq!(found(&PUBLISHED, &healthy()), Vec::<String>::new());
}

#[test]
fn every_fault_is_found_and_nothing_that_looks_like_it() {
    let mut wrong = Vec::new();
    for file in FILES {
        for case in cases(file) {
            let (expected, found) = (case.finds.clone(), case.found());
            if expected != found {
                wrong.push(format!("{file}: {}: expected {expected:?}, found {found:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_anchor_has_a_case() {
    let expected: Vec<String> = FILES.into_iter().flat_map(cases).flat_map(|case| case.finds).collect();
    let names: BTreeSet<&str> = expected.iter().map(|told| told.split(' ').next().unwrap()).collect();
    let anchors = Anchor::VARIANTS.iter().map(Anchor::to_string);
    let without: Vec<String> = anchors.filter(|name| !names.contains(name.as_str())).collect();
    assert_eq!(without, ["not-looked-at", "istio-not-installed"], "which no state of a cluster says, but kubectl");
}

/// What was not listed is not missing, and its section does not say that all is well.
#[test]
fn what_is_not_seen_is_not_missing() {
    let told = |lacks: &[(&str, Gap)], kinds: &[&str]| {
        let objects: Vec<Value> =
            healthy().into_iter().filter(|object| !kinds.contains(&object["kind"].as_str().unwrap())).collect();
        let mut cluster = Cluster::default();
        cluster.read(&json!({"items": objects}).to_string()).unwrap();
        lacks.iter().for_each(|(kind, gap)| cluster.lacks(*kind, *gap));
        let told = |finding: &Finding| format!("{}: {} of {}", finding.section, finding.anchor, finding.object);
        preflight(&PUBLISHED, &cluster).unwrap().iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(told(&[("pods", Gap::Refused)], &["Pod"]), ["pods: not-looked-at of pods"]);
    assert_eq!(told(&[("services", Gap::Refused)], &["Service"]), ["services: not-looked-at of services"]);
    assert_eq!(told(&[], &["Namespace"]), ["services: not-looked-at of namespaces"]);
    assert_eq!(told(&[("configmaps", Gap::Refused)], &["ConfigMap"]), ["mesh: not-looked-at of configmaps"]);
    assert_eq!(
        told(&[("deployments.apps", Gap::Refused)], &["Deployment"]),
        ["versions: not-looked-at of deployments.apps"]
    );
    assert_eq!(
        told(&[("destinationrules.networking.istio.io", Gap::Unknown)], &[]),
        ["versions: istio-not-installed of destinationrules.networking.istio.io"]
    );
}

/// A thousand pods of one workload are one finding, and quickly found.
#[test]
fn many_pods_are_one_finding() {
    let pod = |number: usize| {
        let labels = json!({"app": "mocka", "pod-template-hash": "7d"});
        let owner = json!({"kind": "ReplicaSet", "name": "mocka-7d", "controller": true});
        let metadata = json!({"name": format!("mocka-{number}"), "namespace": "default", "labels": labels,
            "ownerReferences": [owner]});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})
    };
    let objects: Vec<Value> = healthy().into_iter().chain((0..1000).map(pod)).collect();
    assert_eq!(found(&PUBLISHED, &objects), ["pod-without-lane-label"]);
}

impl Case {
    fn objects(&self) -> Vec<Value> {
        let mut objects: Vec<Value> = healthy().into_iter().chain(self.add.clone()).collect();
        for name in self.remove.iter().chain(self.change.keys()) {
            assert!(objects.iter().any(|object| self::name(object) == *name), "{}: there is no {name}", self.name);
        }
        objects.retain(|object| !self.remove.contains(&name(object)));
        for object in &mut objects {
            if let Some(change) = self.change.get(&name(object)) {
                merge(object, change);
            }
        }
        objects
    }

    fn found(&self) -> Vec<String> {
        if self.group.is_empty() {
            return found(&PUBLISHED, &self.objects());
        }
        let text = self.group.iter().fold(published(), |text, (from, to)| {
            assert!(text.contains(from), "{}: {from}", self.name);
            text.replace(from, to)
        });
        found(&group(&text), &self.objects())
    }
}

fn cases(file: &str) -> Vec<Case> {
    serde_saphyr::from_str(&read(&format!("tests/preflight/{file}.yaml"))).unwrap()
}

fn healthy() -> Vec<Value> {
    let state: Value = serde_saphyr::from_str(&read("tests/preflight/healthy.yaml")).unwrap();
    state["items"].as_array().unwrap().clone()
}

/// The anchors, with what is only a warning although its anchor is of an error or always.
fn found(group: &LaneGroup, objects: &[Value]) -> Vec<String> {
    let mut cluster = Cluster::default();
    cluster.read(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()).unwrap();
    let told = |Finding { anchor, severity, .. }: &Finding| match severity {
        Severity::Error => anchor.to_string(),
        _ => format!("{anchor} (warning)"),
    };
    preflight(group, &cluster).unwrap().iter().map(told).collect()
}

fn name(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
