//! How large a lane group may be: what is derived from it, and what is said about it, grows faster than it does.

use serde_json::Value;

use crate::{
    finding::{Findings, Problem},
    yaml::{child, element},
};

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
    let mut findings = Findings::default();
    let regexes = value("", document, &mut findings);
    if regexes > MAX_REGEXES {
        findings.error("spec.routes", format!("{regexes} regular expressions: there may be {MAX_REGEXES}"));
    }
    let count = |list: &str| document.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
    let (services, lanes) = (count("/spec/services"), count("/spec/lanes"));
    if lanes > MAX_LANES {
        findings.error("spec.lanes", format!("{lanes} lanes: there may be {MAX_LANES}"));
    } else if services * lanes > MAX_CLUSTERS {
        let message = format!("{services} services in {lanes} lanes: there may be {MAX_CLUSTERS} of both together");
        findings.error("spec.lanes", message);
    }
    findings.errors
}

/// Looks at a value and all that is in it; how many regular expressions there are.
fn value(path: &str, it: &Value, findings: &mut Findings) -> usize {
    match it {
        Value::String(text) if text.len() > MAX_TEXT => {
            findings.error(path, format!("a text of {} bytes: it may have {MAX_TEXT}", text.len()));
            0
        }
        Value::Array(elements) if elements.len() > MAX_ELEMENTS => {
            findings.error(path, format!("a list of {}: it may have {MAX_ELEMENTS}", elements.len()));
            0
        }
        Value::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.map(|(index, it)| value(&element(path, index), it, findings)).sum()
        }
        Value::Object(fields) => {
            let inside: usize = fields.iter().map(|(key, it)| value(&child(path, key), it, findings)).sum();
            inside + usize::from(fields.contains_key("regex"))
        }
        _ => 0,
    }
}
