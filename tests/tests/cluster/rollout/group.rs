use std::{collections::BTreeMap, fs, path::Path, process::Output};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use traffic_lanes_tests::{
    cluster::{Cluster, Namespace, done},
    repository,
};

const IMAGES: [&str; 2] = ["--image=oci://example.com/{module}:1", "--no-resolve"];
const QUICKLY: [&str; 2] = ["--settle=50ms", "--skip-preflight"];

/// A change of the text of a lane group: what stands there, and what stands in its place.
pub(super) type Change = (&'static str, &'static str);

/// A lane group in a namespace of its own.
pub(super) struct Group<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) namespace: Namespace<'a>,
    folder: TempDir,
    routing: &'static str,
}

impl<'a> Group<'a> {
    pub(super) fn new(cluster: &'a Cluster, routing: &'static str) -> Result<Self> {
        Ok(Self { cluster, namespace: cluster.namespace()?, folder: tempfile::tempdir()?, routing })
    }

    /// The same with another routing.
    pub(super) fn routed_by(&mut self, routing: &'static str) {
        self.routing = routing;
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the lane group of a walkthrough, changed; the file's name.
    pub(super) fn write(&self, walkthrough: &str, changes: &[Change]) -> Result<String> {
        let path = repository().join("manifests").join(walkthrough).join("lane-group.yaml");
        let mut text = fs::read_to_string(path)?;
        text = text.replace("namespace: default", &format!("namespace: {}", self.namespace.name()));
        for (from, to) in changes {
            ensure!(text.contains(from), "{walkthrough} has no {from}");
            text = text.replace(from, to);
        }
        self.write_text(&text)
    }

    pub(super) fn write_text(&self, text: &str) -> Result<String> {
        let file = self.folder.path().join("group.yaml");
        fs::write(&file, text)?;
        Ok(file.to_str().context("no UTF-8")?.to_owned())
    }

    pub(super) fn rendered(&self, file: &str, more: &[&str]) -> Result<String> {
        let routing = format!("--routing={}", self.routing);
        done(&self.cluster.lanes(&[&["render", "istio", file, &routing], &IMAGES[..], more].concat())?)
    }

    pub(super) fn arguments<'b>(&self, file: &'b str, routing: &'b str, more: &[&'b str]) -> Vec<&'b str> {
        [&["apply", file, routing], &IMAGES[..], &QUICKLY, more].concat()
    }

    pub(super) fn apply(&self, file: &str, more: &[&str]) -> Result<Output> {
        let routing = format!("--routing={}", self.routing);
        self.cluster.lanes(&self.arguments(file, &routing, more))
    }

    /// Applies, which must succeed; what was done.
    pub(super) fn applied(&self, file: &str) -> Result<Value> {
        let output = self.apply(file, &["--format=json"])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "lanes apply: {said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub(super) fn deleted(&self, file: &str) -> Result<Value> {
        let output = self.cluster.lanes(&["delete", file, "--settle=50ms", "--format=json"])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "lanes delete: {said}");
        ensure!(self.namespace.of_lanes()?.is_empty(), "something is left");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The version of everything that is there, by kind and name.
    pub(super) fn versions(&self) -> Result<BTreeMap<String, u64>> {
        let of = |resource: &Value| {
            let text = |pointer| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let version = text("/metadata/resourceVersion").parse::<u64>()?;
            Ok((format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name")), version))
        };
        self.namespace.of_lanes()?.iter().map(of).collect()
    }

    /// What is there is what is rendered, and all of it.
    pub(super) fn is_as_rendered(&self, file: &str) -> Result<()> {
        let rendered = self.rendered(file, &[])?;
        let dry = done(&self.cluster.kubectl_with(&["apply", "--dry-run=server", "--filename=-"], &rendered)?)?;
        let others: Vec<&str> = dry.lines().filter(|line| !line.ends_with(" unchanged (server dry run)")).collect();
        ensure!(others.is_empty(), "not as rendered: {others:#?}");
        let (number, there) = (dry.lines().count(), self.versions()?);
        ensure!(there.len() == number, "{number} resources are rendered, and there are {there:#?}");
        Ok(())
    }
}

/// The steps of a report, each as `+WAVE` or `-WAVE`.
pub(super) fn steps(report: &Value) -> Vec<String> {
    let steps = report.get("steps").and_then(Value::as_array).into_iter().flatten();
    let text = |step: &Value, field: &str| step.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    steps.map(|step| (if text(step, "pass") == "widen" { "+" } else { "-" }).to_owned() + &text(step, "wave")).collect()
}
