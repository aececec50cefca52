//! What was found in a cluster.

use std::fmt;

use serde::Serialize;

use super::{
    anchor::{Anchor, Section},
    asked::AskedService,
    cluster::{Labels, Meta},
};
use crate::finding::Severity;

/// One thing in the cluster that would break the lane group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub section: Section,
    /// Its name, which never changes, and its section in the documentation.
    pub anchor: Anchor,
    /// How bad it is.
    pub severity: Severity,
    /// The object that is to blame, or that is missing.
    #[serde(flatten)]
    pub object: Object,
    /// What would happen to which requests.
    pub happens: String,
    /// What to do.
    pub remedy: String,
    /// Where the documentation says more.
    pub documentation: String,
}

/// An object of the cluster.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Object {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty if it has none.
    pub namespace: String,
    /// Its name; empty for all of the kind.
    pub name: String,
}

impl Finding {
    pub(super) fn new(
        anchor: Anchor,
        object: impl Into<Object>,
        happens: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            section: anchor.section(),
            anchor,
            severity: anchor.severity(),
            object: object.into(),
            happens: happens.into(),
            remedy: remedy.into(),
            documentation: format!("docs/preflight.md#{anchor}"),
        }
    }

    /// Less than an error, for a reason that the text gives.
    pub(super) fn only_warns(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }
}

/// Its kind, its namespace and its name.
impl<K: Into<String>, S: Into<String>, N: Into<String>> From<(K, S, N)> for Object {
    fn from((kind, namespace, name): (K, S, N)) -> Self {
        Self { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }
}

/// Its kind, and what says the rest.
impl From<(&str, &Meta)> for Object {
    fn from((kind, metadata): (&str, &Meta)) -> Self {
        (kind, &metadata.namespace, &metadata.name).into()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match (self.namespace.as_str(), self.name.as_str()) {
            ("", "") => Ok(()),
            (namespace, "") => write!(f, " in {namespace}"),
            ("", name) => write!(f, " {name}"),
            (namespace, name) => write!(f, " {namespace}/{name}"),
        }
    }
}

/// Names in a sentence: the first few, and how many more there are.
pub(super) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    const TOLD: usize = 5;
    let names: Vec<T> = names.into_iter().collect();
    let told: Vec<&str> = names.iter().take(TOLD).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// Labels in a sentence, as a selector has them.
pub(super) fn labels(labels: &Labels) -> String {
    listed(labels.iter().map(|(key, value)| format!("{key}={value}")))
}

/// The names of services in a sentence.
pub(super) fn names(services: &[&AskedService]) -> String {
    listed(services.iter().map(|service| &service.name))
}
