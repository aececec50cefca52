//! Files of resources.

use std::fmt;

use anyhow::Context;
use serde::Serialize;

use super::resource::{Kind, Resource};
use crate::render::yaml;

/// Resources that are applied together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// The file's name; its number is the place in the order of application.
    pub name: &'static str,
    /// What the resources are for, in lines without `#`.
    pub comment: String,
    /// The resources as YAML, each without `---`.
    pub documents: Vec<String>,
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
    pub(super) fn new(name: &'static str, comment: impl Into<String>) -> Self {
        Self { name, comment: comment.into(), documents: Vec::new() }
    }

    pub(super) fn add<K: Kind>(&mut self, resource: &Resource<K>) -> anyhow::Result<()> {
        let document = yaml(resource).with_context(|| format!("failed to write a {} for {}", K::KIND, self.name))?;
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
