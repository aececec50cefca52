//! The input: every resource with its type and its place.

use serde::de::DeserializeOwned;
use serde_ignored::Path;
use serde_json::Value;

use super::{
    asm::{Object, SwimLane, SwimLaneGroup},
    notes::Notes,
    users::TaggingPlugin,
};
use crate::{
    finding::{Finding, Problem, Severity},
    preflight::{Gateway, Service},
    yaml::{self, Document, child, element},
};

/// What is read.
#[derive(Default)]
pub(super) struct Input<'a> {
    pub(super) groups: Vec<Resource<'a, SwimLaneGroup>>,
    pub(super) lanes: Vec<Resource<'a, SwimLane>>,
    pub(super) services: Vec<Resource<'a, Service>>,
    pub(super) gateways: Vec<Resource<'a, Gateway>>,
    pub(super) plugins: Vec<TaggingPlugin<'a>>,
}

/// One resource.
pub(super) struct Resource<'a, S> {
    pub(super) object: Object<S>,
    /// The paths of fields that its type does not have.
    pub(super) unknown: Vec<String>,
    pub(super) place: Place<'a>,
}

/// Where a resource is: a document, or an item of a List.
#[derive(Clone)]
pub(super) struct Place<'a> {
    file: &'a str,
    document: &'a Document,
    path: String,
}

/// What the API server adds, and what says what is read.
const NOT_CONFIGURATION: [&str; 13] = [
    "apiVersion",
    "kind",
    "status",
    "metadata.managedFields",
    "metadata.generateName",
    "metadata.generation",
    "metadata.deletionTimestamp",
    "metadata.deletionGracePeriodSeconds",
    "metadata.resourceVersion",
    "metadata.uid",
    "metadata.selfLink",
    "metadata.ownerReferences",
    "metadata.finalizers",
];

/// Splits files into documents, each with the file's name.
pub(super) fn documents<'a>(files: &'a [(String, String)], notes: &mut Notes) -> Vec<(&'a str, Document)> {
    let mut all = Vec::new();
    for (file, text) in files {
        match yaml::documents(text) {
            Ok(documents) => all.extend(documents.into_iter().map(|document| (file.as_str(), document))),
            Err(error) => notes.add(Finding::syntax(file, error)),
        }
    }
    all
}

impl<'a> Input<'a> {
    /// Reads everything that is of use, and notes what is not.
    pub(super) fn read(documents: &'a [(&'a str, Document)], notes: &mut Notes) -> Self {
        let mut input = Self::default();
        for (file, document) in documents {
            input.add(&document.value, Place { file, document, path: String::new() }, notes);
        }
        input
    }

    fn add(&mut self, value: &Value, place: Place<'a>, notes: &mut Notes) {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let (kind, group) = (text("kind"), text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group));
        match (kind, group) {
            ("ASMSwimLaneGroup", _) => self.groups.extend(read(value, place, notes)),
            ("ASMSwimLane", _) => self.lanes.extend(read(value, place, notes)),
            ("Service", "") => self.services.extend(read(value, place, notes)),
            ("Gateway", "networking.istio.io") => self.gateways.extend(read(value, place, notes)),
            ("WasmPlugin", _) => {
                self.plugins.extend(read(value, place, notes).and_then(|plugin| TaggingPlugin::read(plugin, notes)));
            }
            _ => match value.get("items").and_then(Value::as_array) {
                Some(items) if kind.ends_with("List") => {
                    for (index, item) in items.iter().enumerate() {
                        let path = element(&child(&place.path, "items"), index);
                        self.add(item, Place { path, ..place.clone() }, notes);
                    }
                }
                _ => notes.lost(&place, "", not_read(kind, value)),
            },
        }
    }
}

fn not_read(kind: &str, value: &Value) -> String {
    let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let what = if kind.is_empty() { "a document without `kind`".to_owned() } else { format!("the {kind} `{name}`") };
    let remedy = match kind {
        "VirtualService" => {
            "`lanes render istio` writes those of the services; rules of the gateway belong in spec.routes, where `lane` \
            sets the route header as well"
        }
        "DestinationRule" => "`lanes render istio` writes those of the services",
        "TrafficLabel" | "ASMHeaderPropagation" => {
            "spec.propagation carries the route header; for other headers, use the filters themselves"
        }
        "ASMHashTagging" => "write its partitions as spec.assign.users",
        _ => "it has no part in a lane group",
    };
    format!("{what} is not read: {remedy}")
}

/// Reads a resource into its type; `None` if it does not fit.
fn read<'a, S: DeserializeOwned>(value: &Value, place: Place<'a>, notes: &mut Notes) -> Option<Resource<'a, S>> {
    let mut unknown = Vec::new();
    let mut note = |path: Path<'_>| unknown.push(written(&path));
    let read = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(value, &mut note));
    unknown.retain(|path| !NOT_CONFIGURATION.contains(&path.as_str()));
    match read {
        Ok(object) => Some(Resource { object, unknown, place }),
        Err(error) => {
            let path = error.path().to_string();
            let path = if path == "." { "" } else { &path };
            notes.error(&place, path, error.inner().to_string());
            None
        }
    }
}

/// A path as it is written elsewhere.
fn written(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => element(&written(parent), *index),
        Path::Map { parent, key } => child(&written(parent), key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => written(parent),
    }
}

impl Place<'_> {
    /// Something about a field of the resource.
    pub(super) fn finding(&self, severity: Severity, field: &str, message: impl Into<String>) -> Finding {
        let path = if field.is_empty() { self.path.clone() } else { child(&self.path, field) };
        Finding::new(self.file, self.document, severity, Problem::new(path, message))
    }
}

impl<S> Resource<'_, S> {
    pub(super) fn name(&self) -> &str {
        &self.object.metadata.name
    }

    pub(super) fn is(&self, name: &str, namespace: &str) -> bool {
        let own = if self.object.metadata.namespace.is_empty() { "default" } else { &self.object.metadata.namespace };
        (self.name(), own) == (name, namespace)
    }
}
