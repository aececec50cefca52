//! The reference of every configuration is what its types say: `docs/reference` is made of their schemas.
//! `UPDATE_GOLDEN=1 cargo test --package lanes` writes it anew.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, env, fs, mem, path::Path};

use schemars::schema_for;
use serde_json::{Value, json};

/// A page, how its schema is asked for, and the schema.
fn pages() -> [(&'static str, &'static str, Value); 4] {
    [
        ("Lane group", "lanes schema", lanes::schema::schema().to_value()),
        ("Hash tagging", "lanes schema hash-tagging", schema_for!(hash_tagging::config::Config).to_value()),
        (
            "Baggage propagation",
            "lanes schema baggage-propagation",
            schema_for!(baggage_propagation::config::Config).to_value(),
        ),
        (
            "Trace propagation",
            "lanes schema trace-propagation",
            schema_for!(trace_propagation::config::Config).to_value(),
        ),
    ]
}

#[test]
fn the_reference_is_what_the_types_say() {
    for (name, command, schema) in pages() {
        let file = format!("docs/reference/{}.md", name.to_lowercase().replace(' ', "-"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&file);
        let page = format!(
            "# {name}: every field\n\n\
             Made from the types; `{command}` prints the same as JSON Schema, for editors. Other fields are refused.\n{}",
            Page::new(&schema).tables("", &schema)
        );
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, page).unwrap();
        } else {
            let kept = fs::read_to_string(path).unwrap_or_default();
            assert!(kept == page, "{file} is not what the types say; UPDATE_GOLDEN=1 writes it anew");
        }
    }
}

/// A table for each object of a schema.
struct Page<'a> {
    definitions: &'a Value,
    /// The place where each kind of object is described: the first that has one.
    described: BTreeMap<&'a str, String>,
    /// The objects of the last table.
    inside: Vec<(String, &'a Value)>,
}

impl<'a> Page<'a> {
    fn new(schema: &'a Value) -> Self {
        Self { definitions: &schema["$defs"], described: BTreeMap::new(), inside: Vec::new() }
    }

    /// The tables of an object and of all that are in it.
    fn tables(&mut self, path: &str, object: &'a Value) -> String {
        let title = if path.is_empty() { String::new() } else { format!("\n## {path}\n") };
        let head = "| field | type | default | meaning |\n|---|---|---|---|";
        let mut tables = format!("{title}\n{}\n\n{head}\n", text(object));
        for (field, schema) in object["properties"].as_object().unwrap() {
            let is_required = object["required"].as_array().is_some_and(|required| required.contains(&json!(field)));
            let default = match &schema["default"] {
                _ if is_required => "required".to_owned(),
                Value::Null | Value::Object(_) => String::new(),
                Value::Array(none) if none.is_empty() => String::new(),
                default => format!("`{}`", default.to_string().trim_matches('"')),
            };
            let (of, words) = self.of(schema, &if path.is_empty() { field.clone() } else { format!("{path}.{field}") });
            tables += &format!("| `{field}` | {of} | {default} | {}{words} |\n", text(schema));
        }
        for (path, object) in mem::take(&mut self.inside) {
            tables += &self.tables(&path, object);
        }
        tables
    }

    /// What a value is, and the words that it may be, each with its meaning.
    fn of(&mut self, schema: &'a Value, path: &str) -> (String, String) {
        let is_null = |schema: &&Value| schema["type"] == "null";
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            let definition = &self.definitions[name];
            return if definition.get("properties").is_some() {
                self.object(name, path)
            } else {
                self.of(definition, path)
            };
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let some = any.iter().filter(|schema| !is_null(schema));
            let (of, words): (Vec<String>, Vec<String>) = some.map(|schema| self.of(schema, path)).unzip();
            return (of.join(" or "), words.concat());
        }
        if let Some(one) = schema["oneOf"].as_array().or(schema["enum"].as_array()) {
            return (String::from("one of"), one.iter().map(|schema| self.word(schema, path)).collect());
        }
        let of = match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
            Some("array") => {
                let (of, words) = self.of(&schema["items"], &format!("{path}[]"));
                return (format!("list of {of}"), words);
            }
            Some("object") => {
                let (of, words) = self.of(&schema["additionalProperties"], &format!("{path}.*"));
                return (format!("map of {of}"), words);
            }
            Some("string") => "string",
            Some("integer") => "integer",
            Some("number") => "number",
            Some("boolean") => "boolean",
            other => panic!("{path}: no words for {other:?}"),
        };
        (of.to_owned(), String::new())
    }

    fn object(&mut self, name: &'a str, path: &str) -> (String, String) {
        let described = self.described.entry(name).or_insert_with(|| {
            self.inside.push((path.to_owned(), &self.definitions[name]));
            path.to_owned()
        });
        let anchor: String = described.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
        (format!("[object](#{anchor})"), String::new())
    }

    /// One of several: a word, or an object with one field.
    fn word(&mut self, schema: &'a Value, path: &str) -> String {
        let meaning = text(schema);
        if let Some(word) = schema.as_str().or(schema["const"].as_str()) {
            return format!("<br>`{word}`: {meaning}");
        }
        let (field, inner) = schema["properties"].as_object().unwrap().iter().next().unwrap();
        let (of, words) = self.of(inner, &format!("{path}.{field}"));
        format!("<br>`{field}`, {of}: {meaning}{words}")
    }
}

/// The first paragraph of a doc comment, in one line.
fn text(schema: &Value) -> String {
    let description = schema["description"].as_str().unwrap_or_default();
    description.split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}
