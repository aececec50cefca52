use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What only a server writes.
const OF_THE_SERVER: [&str; 6] =
    ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];
/// What kubectl writes, for itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A resource, as kubectl reads and prints it; without what is no business of those who apply it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Resource(Value);

/// Which resource it is. The version of its API does not matter.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Id {
    /// The API's group; empty for Kubernetes' own.
    pub group: String,
    /// Such as `VirtualService`.
    pub kind: String,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
}

impl Resource {
    /// Takes what kubectl prints.
    ///
    /// # Errors
    /// It is no resource.
    pub fn new(mut value: Value) -> Result<Self> {
        let text = |pointer| value.pointer(pointer).is_some_and(Value::is_string);
        if !["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"].into_iter().all(text) {
            anyhow::bail!("not a resource in a namespace: {value}");
        }
        value.as_object_mut().map(|fields| fields.remove("status"));
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            OF_THE_SERVER.into_iter().for_each(|field| drop(metadata.remove(field)));
            let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
            annotations.map(|annotations| annotations.remove(LAST_APPLIED));
            if metadata.get("annotations").is_some_and(|annotations| *annotations == json!({})) {
                metadata.remove("annotations");
            }
        }
        Ok(Self(value))
    }

    /// Takes a list, or a single resource, as kubectl prints it: nothing for nothing.
    ///
    /// # Errors
    /// It is not JSON, or not of resources.
    pub fn list_of(text: &str) -> Result<Vec<Self>> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut value: Value = serde_json::from_str(text).context("kubectl has printed something else than JSON")?;
        match value.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items.into_iter().map(Self::new).collect(),
            _ => Ok(vec![Self::new(value)?]),
        }
    }

    /// Which one it is.
    pub fn id(&self) -> Id {
        let text = |pointer| self.text(pointer).to_owned();
        let group = self.text("/apiVersion").rsplit_once('/').map_or("", |(group, _)| group).to_owned();
        Id { group, kind: text("/kind"), namespace: text("/metadata/namespace"), name: text("/metadata/name") }
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.0.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    /// All of it.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Whether nobody would notice if one took the other's place.
    pub(super) fn holds_the_same(&self, other: &Self) -> bool {
        let held = |Self(value): &Self| {
            let field = |pointer| value.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
            [field("/metadata/labels"), field("/metadata/annotations"), field("/spec")]
        };
        held(self) == held(other)
    }

    /// What is to be applied so that the server holds this.
    pub(super) fn as_applied(&self) -> Self {
        let Self(mut value) = self.clone();
        if self.kind() == "Service"
            && let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut)
        {
            // The rest is given by the server, as its address.
            spec.retain(|field, _| ["selector", "ports"].contains(&field.as_str()));
        }
        Self(value)
    }

    pub(super) fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// With another value of a field of its specification.
    pub(super) fn with(mut self, field: &str, value: Value) -> Self {
        let nothing = Map::new();
        if let Some(resource) = self.0.as_object_mut()
            && let Some(spec) = resource.entry("spec").or_insert(nothing.into()).as_object_mut()
        {
            spec.insert(field.to_owned(), value);
        }
        self
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name, .. } = self;
        write!(f, "{kind} {namespace}/{name}")
    }
}
