//! How large a lane group may be: what is derived from it, and what is said about it, grows faster than it does.

use plugin_config::Problem;
use serde_json::Value;

use crate::yaml::{child, element};

/// How much is said about one file or one lane group.
pub(crate) const MAX_FINDINGS: usize = 1000;

/// How many lane groups are compared with each other.
pub(crate) const MAX_GROUPS: usize = 1000;

/// Every service gets every lane's cluster.
const MAX_CLUSTERS: usize = 100_000;
const MAX_LANES: usize = 1000;
const MAX_ELEMENTS: usize = 10_000;
/// Names, header values and regular expressions; messages repeat them.
const MAX_TEXT: usize = 1024;
/// Each takes milliseconds to compile.
const MAX_REGEXES: usize = 200;

/// What is too large about the document of a lane group, whatever its shape is otherwise.
pub(crate) fn check(document: &Value) -> Vec<Problem> {
    let mut found = Found::default();
    found.value("", document);
    let mut problems = found.problems;
    if found.regexes > MAX_REGEXES {
        let message = format!("{} regular expressions: there may be {MAX_REGEXES}", found.regexes);
        problems.push(Problem::new("spec.routes", message));
    }
    let count = |list: &str| document.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
    let (services, lanes) = (count("/spec/services"), count("/spec/lanes"));
    if lanes > MAX_LANES {
        problems.push(Problem::new("spec.lanes", format!("{lanes} lanes: there may be {MAX_LANES}")));
    } else if services * lanes > MAX_CLUSTERS {
        let message = format!("{services} services in {lanes} lanes: there may be {MAX_CLUSTERS} of both together");
        problems.push(Problem::new("spec.lanes", message));
    }
    problems
}

#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    regexes: usize,
}

impl Found {
    fn value(&mut self, path: &str, value: &Value) {
        match value {
            Value::String(text) if text.len() > MAX_TEXT => {
                self.problem(path, format!("a text of {} bytes: it may have {MAX_TEXT}", text.len()));
            }
            Value::Array(elements) if elements.len() > MAX_ELEMENTS => {
                self.problem(path, format!("a list of {}: it may have {MAX_ELEMENTS}", elements.len()));
            }
            Value::Array(elements) => {
                elements.iter().enumerate().for_each(|(index, value)| self.value(&element(path, index), value));
            }
            Value::Object(fields) => {
                self.regexes += usize::from(fields.contains_key("regex"));
                fields.iter().for_each(|(key, value)| self.value(&child(path, key), value));
            }
            _ => {}
        }
    }

    fn problem(&mut self, path: &str, message: String) {
        if self.problems.len() < MAX_FINDINGS {
            self.problems.push(Problem::new(path, message));
        }
    }
}
