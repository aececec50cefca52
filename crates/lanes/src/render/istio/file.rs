//! Files of resources.

use std::fmt;

use anyhow::Context;
use serde::Serialize;

use super::{
    Stage,
    resource::{Kind, Owner, Resource},
};
use crate::{document::LaneGroup, render::yaml};

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
    owner: Owner,
}

/// A file for `kubectl apply -k` that names the files in their order.
///
/// # Errors
/// None that is known: what is written is texts.
pub fn kustomization(files: &[File]) -> anyhow::Result<String> {
    let resources = files.iter().map(|file| file.name).collect();
    let sort_options = SortOptions { order: "fifo" };
    let api_version = "kustomize.config.k8s.io/v1beta1";
    yaml(&Kustomization { api_version, kind: "Kustomization", sort_options, resources })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kustomization {
    api_version: &'static str,
    kind: &'static str,
    /// Kustomize sorts by kind otherwise, and the order matters.
    sort_options: SortOptions,
    resources: Vec<&'static str>,
}

#[derive(Serialize)]
struct SortOptions {
    order: &'static str,
}

impl File {
    pub(super) fn new(group: &LaneGroup, stage: Stage, name: &'static str, comment: impl Into<String>) -> Self {
        let owner = Owner::new(group, stage);
        Self { name, stage, comment: comment.into(), documents: Vec::new(), owner }
    }

    /// Adds a resource with its name and namespace.
    pub(super) fn add<K: Kind>(&mut self, name: impl Into<String>, namespace: &str, spec: K) -> anyhow::Result<()> {
        self.add_annotated(name, namespace, spec, None)
    }

    pub(super) fn add_annotated<K: Kind>(
        &mut self,
        name: impl Into<String>,
        namespace: &str,
        spec: K,
        annotation: Option<(&'static str, &'static str)>,
    ) -> anyhow::Result<()> {
        let mut resource = Resource::new(&self.owner, name, namespace, spec);
        if let Some((key, value)) = annotation {
            resource = resource.annotated(key, value);
        }
        let document = yaml(&resource).with_context(|| format!("failed to write a {} for {}", K::KIND, self.name))?;
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
