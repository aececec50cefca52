//! Files of configuration.

use std::fmt;

use anyhow::Context;
use serde_json::{Value, json};

use crate::{json::with, render::yaml};

/// A file that an Envoy reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// The file's name.
    pub name: String,
    /// What it is for, in lines without `#`.
    pub comment: String,
    /// Its YAML.
    pub text: String,
}

impl File {
    pub(super) fn new(name: impl Into<String>, comment: impl Into<String>, value: &Value) -> anyhow::Result<Self> {
        let name = name.into();
        let text = yaml(value).with_context(|| format!("failed to write {name}"))?;
        Ok(Self { name, comment: comment.into(), text })
    }

    /// A file of resources, which Envoy takes anew whenever it is replaced.
    pub(super) fn watched(name: impl Into<String>, comment: &str, resources: Vec<Value>) -> anyhow::Result<Self> {
        Self::new(name, comment, &json!({ "resources": resources }))
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.comment.lines().try_for_each(|line| writeln!(f, "{}", format!("# {line}").trim_end()))?;
        f.write_str(&self.text)
    }
}

/// Where Envoy finds what a file holds. It watches the folder, and wants a path with a slash.
pub(super) fn config_source(file: &str) -> Value {
    json!({"resource_api_version": "V3", "path_config_source": {"path": format!("./{file}")}})
}

/// An extension's configuration, which names its own type.
pub(super) fn typed(kind: &str, fields: Value) -> Value {
    with(json!({"@type": format!("type.googleapis.com/{kind}")}), fields)
}
