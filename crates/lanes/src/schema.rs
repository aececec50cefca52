//! From a document to its types, with every error of shape at once.

use std::{collections::BTreeSet, fmt, sync::LazyLock};

use jsonschema::{
    JsonType, Validator,
    error::{TypeKind, ValidationError, ValidationErrorKind},
    paths::LocationSegment,
};
use schemars::{Schema, schema_for};
use serde_json::{Map, Value, json};

use crate::{
    bounds::{self, MAX_FINDINGS},
    document::LaneGroup,
    finding::Problem,
    yaml::{child, element},
};

/// Made once: a file may have many documents, and a document many errors.
static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let schema = schema().to_value();
    Shape { validator: Validator::new(&schema).map_err(|error| error.to_string()), fields: fields(&schema), schema }
});

struct Shape {
    schema: Value,
    validator: Result<Validator, String>,
    fields: BTreeSet<String>,
}

/// The JSON Schema of a lane group, for editors and for anybody who checks documents without this tool.
pub fn schema() -> Schema {
    schema_for!(LaneGroup)
}

/// Reads a document into its types.
///
/// # Errors
/// Everything about its shape that is wrong: unknown and missing fields, values of the wrong type; what is too large.
pub fn read(document: &Value) -> Result<LaneGroup, Vec<Problem>> {
    let too_large = bounds::check(document);
    if !too_large.is_empty() {
        return Err(too_large);
    }
    let validator = SHAPE.validator.as_ref().map_err(|error| vec![Problem::new("", error)])?;
    let problems = validator.iter_errors(document).flat_map(|error| problems(&error));
    let mut problems: Vec<Problem> = problems.take(MAX_FINDINGS + 1).collect();
    if problems.is_empty() {
        // The schema is made from the types, so this finds nothing new but what no schema can say.
        return serde_path_to_error::deserialize(document)
            .map_err(|error| vec![Problem::new(error.path().to_string(), error.inner().to_string())]);
    }
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    problems.dedup();
    Err(problems)
}

fn problems(error: &ValidationError<'_>) -> Vec<Problem> {
    let path = path(error);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let beside =
                error.schema_path().as_str().rsplit_once('/').and_then(|(object, _)| SHAPE.schema.pointer(object));
            let known = beside.and_then(|object| object.get("properties")).and_then(Value::as_object);
            let problem = |field: &String| Problem::new(child(&path, field), unknown_field(field, known));
            unexpected.iter().take(MAX_FINDINGS + 1).map(problem).collect()
        }
        ValidationErrorKind::Required { property } => {
            let field = property.as_str().unwrap_or_default();
            vec![Problem::new(child(&path, field), "is missing")]
        }
        // An optional field: what is wrong about it if it is given.
        ValidationErrorKind::AnyOf { context } => {
            let offered = offered(error.schema_path().as_str()).zip(context);
            let given = offered.filter(|(schema, _)| **schema != json!({"type": "null"}));
            given.flat_map(|(_, errors)| errors).flat_map(problems).collect()
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::OneOfMultipleValid { context } => {
            let alternatives: Vec<_> = offered(error.schema_path().as_str()).map(alternative).collect();
            match chosen(&alternatives, error.instance()).and_then(|index| context.get(index)) {
                Some(inner) => inner.iter().flat_map(problems).collect(),
                None => {
                    let expected = alternatives.iter().map(Alternative::to_string).collect::<Vec<_>>().join(", ");
                    let message = format!("expected exactly one of {expected}, not {}", error.instance());
                    vec![Problem::new(path, message)]
                }
            }
        }
        // An optional field whose type is one word: that it may be null says nothing.
        ValidationErrorKind::Type { kind: TypeKind::Multiple(types) } => {
            let types: Vec<String> =
                types.iter().filter(|of| *of != JsonType::Null).map(|of| format!("\"{of}\"")).collect();
            vec![Problem::new(path, format!("{} is not of type {}", error.instance(), types.join(" or ")))]
        }
        _ => vec![Problem::new(path, error.to_string())],
    }
}

fn path(error: &ValidationError<'_>) -> String {
    error.instance_path().into_iter().fold(String::new(), |path, segment| match segment {
        LocationSegment::Property(field) => child(&path, &field),
        LocationSegment::Index(index) => element(&path, index),
    })
}

/// Fields of the object that it stands in come first, then those of any other, where it may have been meant.
fn unknown_field(field: &str, beside: Option<&Map<String, Value>>) -> String {
    let beside: BTreeSet<String> = beside.into_iter().flat_map(|fields| fields.keys().cloned()).collect();
    let near = |known: &BTreeSet<String>| {
        let likeness = known.iter().filter(|known| *known != field);
        let likeness = likeness.map(|known| (strsim::jaro_winkler(known, field), known.clone()));
        likeness.max_by(|(a, _), (b, _)| a.total_cmp(b)).filter(|(likeness, _)| *likeness > 0.8)
    };
    match near(&beside).or_else(|| near(&SHAPE.fields)) {
        Some((_, known)) => format!("no such field; did you mean `{known}`?"),
        None => "no such field here".to_owned(),
    }
}

/// What a `oneOf` offers.
#[derive(Clone, Copy)]
enum Alternative<'a> {
    Word(&'a str),
    /// An object with this one field.
    Field(&'a str),
}

impl fmt::Display for Alternative<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Field(field) => write!(f, "`{field}: …`"),
        }
    }
}

/// The schemas of which one must hold.
fn offered(path: &str) -> impl Iterator<Item = &'static Value> {
    SHAPE.schema.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

fn alternative(schema: &Value) -> Alternative<'_> {
    match schema.pointer("/required/0").and_then(Value::as_str) {
        Some(field) => Alternative::Field(field),
        None => Alternative::Word(schema.get("const").and_then(Value::as_str).unwrap_or_default()),
    }
}

/// The alternative that was meant: the one whose field is given, and no other.
fn chosen(alternatives: &[Alternative<'_>], found: &Value) -> Option<usize> {
    let mut fields = found.as_object()?.keys();
    let (given, None) = (fields.next()?, fields.next()) else { return None };
    alternatives.iter().position(|of| matches!(of, Alternative::Field(field) if field == given))
}

/// Every field that a schema knows anywhere.
pub fn fields(schema: &Value) -> BTreeSet<String> {
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone());
    let inside = match schema {
        Value::Object(fields) => fields.values().flat_map(self::fields).collect(),
        Value::Array(elements) => elements.iter().flat_map(self::fields).collect(),
        _ => Vec::new(),
    };
    own.chain(inside).collect()
}
