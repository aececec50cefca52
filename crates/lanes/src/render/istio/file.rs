//! Files of resources.

use std::fmt;

use anyhow::Context;
use serde_json::{Value, json};

use super::{
    Stage,
    resource::{GROUP, GROUP_NAMESPACE, Kind, MANAGED_BY, STAGE},
};
use crate::{
    document::{LaneGroup, Metadata},
    json::with,
    render::yaml,
};

const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// Resources that are applied together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// The file's name; its number is the place in the order of application.
    pub name: &'static str,
    /// The stage that the resources are applied in.
    pub stage: Stage,
    /// What the resources are for, in lines without `#`.
    pub comment: String,
    /// The resources as YAML, each without `---`.
    pub documents: Vec<String>,
    /// What says of every resource whose it is, and when it is applied.
    labels: Value,
}

/// A file for `kubectl apply -k` that names the files in their order.
///
/// # Errors
/// None that is known: what is written is texts.
pub fn kustomization(files: &[File]) -> anyhow::Result<String> {
    yaml(&json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        // Kustomize sorts by kind otherwise, and the order matters.
        "sortOptions": {"order": "fifo"},
        "resources": files.iter().map(|file| file.name).collect::<Vec<_>>(),
    }))
}

impl File {
    pub(super) fn new(group: &LaneGroup, stage: Stage, name: &'static str, comment: impl Into<String>) -> Self {
        let Metadata { name: group, namespace } = &group.metadata;
        let labels = json!({MANAGED_BY: "lanes", GROUP: group, GROUP_NAMESPACE: namespace, STAGE: stage.name()});
        Self { name, stage, comment: comment.into(), documents: Vec::new(), labels }
    }

    /// Adds a resource with its name and namespace.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        name: impl Into<String>,
        namespace: &str,
        spec: Value,
    ) -> anyhow::Result<()> {
        self.add_annotated(kind, name, namespace, spec, json!({}))
    }

    pub(super) fn add_annotated(
        &mut self,
        kind: Kind,
        name: impl Into<String>,
        namespace: &str,
        spec: Value,
        annotations: Value,
    ) -> anyhow::Result<()> {
        let resource = json!({
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "metadata": {
                "name": name.into(),
                "namespace": namespace,
                "labels": self.labels,
                "annotations": with(json!({SYNC_WAVE: self.stage.wave()}), annotations),
            },
            "spec": spec,
        });
        let document = yaml(&resource).with_context(|| format!("failed to write a {} for {}", kind.name, self.name))?;
        self.documents.push(document);
        Ok(())
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.comment.lines().try_for_each(|line| writeln!(f, "# {line}"))?;
        self.documents.iter().try_for_each(|document| write!(f, "---\n{document}"))
    }
}
