//! The resources of the input, each with its place.

use serde::de::DeserializeOwned;
use serde_ignored::Path;
use serde_json::Value;

use super::{
    asm::{Gateway, Object, Service, SwimLane, SwimLaneGroup, WasmPlugin},
    note::{Note, NoteKind},
};
use crate::yaml::{self, Document, child, element};

/// What is read.
#[derive(Default)]
pub(super) struct Resources<'a> {
    pub(super) groups: Vec<Resource<'a, SwimLaneGroup>>,
    pub(super) lanes: Vec<Resource<'a, SwimLane>>,
    pub(super) services: Vec<Resource<'a, Service>>,
    pub(super) gateways: Vec<Resource<'a, Gateway>>,
    pub(super) plugins: Vec<Resource<'a, WasmPlugin>>,
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

/// The documents of a file.
pub(super) struct Text<'a> {
    file: &'a str,
    documents: Vec<Document>,
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

/// Splits files into documents.
pub(super) fn documents<'a>(files: &'a [(String, String)], notes: &mut Vec<Note>) -> Vec<Text<'a>> {
    let mut documents = |(file, text): &'a (String, String)| match yaml::documents(text) {
        Ok(documents) => Some(Text { file, documents }),
        Err(yaml::SyntaxError { position, message }) => {
            let yaml::Position { line, column } = position;
            let (file, kind, path) = (file.clone(), NoteKind::Error, String::new());
            notes.push(Note { file, line, column, kind, path, message });
            None
        }
    };
    files.iter().filter_map(&mut documents).collect()
}

impl<'a> Resources<'a> {
    /// Reads everything that is of use, and notes what is not.
    pub(super) fn read(texts: &'a [Text<'a>], notes: &mut Vec<Note>) -> Self {
        let mut resources = Self::default();
        for text in texts {
            for document in &text.documents {
                let place = Place { file: text.file, document, path: String::new() };
                resources.add(&document.value, place, notes);
            }
        }
        resources
    }

    fn add(&mut self, value: &Value, place: Place<'a>, notes: &mut Vec<Note>) {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let (kind, group) = (text("kind"), text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group));
        match (kind, group) {
            ("ASMSwimLaneGroup", _) => self.groups.extend(read(value, place, notes)),
            ("ASMSwimLane", _) => self.lanes.extend(read(value, place, notes)),
            ("Service", "") => self.services.extend(read(value, place, notes)),
            ("Gateway", "networking.istio.io") => self.gateways.extend(read(value, place, notes)),
            ("WasmPlugin", _) => self.plugins.extend(read(value, place, notes)),
            _ => match value.get("items").and_then(Value::as_array) {
                Some(items) if kind.ends_with("List") => {
                    for (index, item) in items.iter().enumerate() {
                        let path = element(&child(&place.path, "items"), index);
                        self.add(item, Place { path, ..place.clone() }, notes);
                    }
                }
                _ => notes.push(place.note(NoteKind::Lost, "", not_read(kind, value))),
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
fn read<'a, S: DeserializeOwned>(value: &Value, place: Place<'a>, notes: &mut Vec<Note>) -> Option<Resource<'a, S>> {
    let mut unknown = Vec::new();
    let mut note = |path: Path<'_>| unknown.push(written(&path));
    let read = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(value, &mut note));
    unknown.retain(|path| !NOT_CONFIGURATION.contains(&path.as_str()));
    match read {
        Ok(object) => Some(Resource { object, unknown, place }),
        Err(error) => {
            let path = error.path().to_string();
            let path = if path == "." { "" } else { &path };
            notes.push(place.note(NoteKind::Error, path, error.inner().to_string()));
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

// === impl Place ===

impl Place<'_> {
    /// A note about a field of the resource.
    pub(super) fn note(&self, kind: NoteKind, field: &str, message: impl Into<String>) -> Note {
        let path = match (self.path.is_empty(), field.is_empty()) {
            (_, true) => self.path.clone(),
            (true, false) => field.to_owned(),
            (false, false) => child(&self.path, field),
        };
        let yaml::Position { line, column } = self.document.position(&path);
        Note { file: self.file.to_owned(), line, column, kind, path, message: message.into() }
    }
}

// === impl Resource ===

impl<S> Resource<'_, S> {
    pub(super) fn name(&self) -> &str {
        &self.object.metadata.name
    }

    pub(super) fn is(&self, name: &str, namespace: &str) -> bool {
        let own = if self.object.metadata.namespace.is_empty() { "default" } else { &self.object.metadata.namespace };
        (self.name(), own) == (name, namespace)
    }
}
