//! A file of documents: lane groups, plug-in configurations, and what else is in it.

use serde_json::Value;

use crate::{
    bounds::{MAX_FINDINGS, MAX_GROUPS},
    check::{check, together},
    document::LaneGroup,
    filter,
    finding::{Finding, Findings, Problem, Severity},
    schema,
    yaml::{Document, child, documents},
};

/// What was read from a file.
#[derive(Debug, Default)]
pub struct File {
    /// The lane groups that are valid.
    pub groups: Vec<LaneGroup>,
    /// The documents that they were read from.
    sources: Vec<Document>,
    /// Everything that is wrong or doubtful, in the order of the file. Of very much only the beginning, and that there is
    /// more.
    pub findings: Vec<Finding>,
}

/// Reads a file whole: everything that is wrong about every document in it.
pub fn read(name: &str, text: &str) -> File {
    let mut file = File::default();
    match documents(text) {
        Ok(documents) if documents.is_empty() => {
            let problem = Problem::new("", "the file is empty: expected a LaneGroup or a pluginConfig");
            file.findings.push(Finding::new(name, &Document::default(), Severity::Error, problem));
        }
        Ok(documents) => documents.iter().for_each(|document| file.document(name, document)),
        Err(error) => file.findings.push(Finding::syntax(name, error)),
    }
    file.findings.sort_by_key(|finding| (finding.line, finding.column));
    cut(&mut file.findings);
    file
}

/// Errors are not lost for warnings: that there is one decides about the file.
fn cut(findings: &mut Vec<Finding>) {
    if findings.len() <= MAX_FINDINGS {
        return;
    }
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    let more = findings.split_off(MAX_FINDINGS);
    if let Some(mut last) = more.iter().find(|finding| is_error(finding)).or(more.first()).cloned() {
        last.path.clear();
        last.message = format!("there is more, beginning here: mend the {MAX_FINDINGS} before first");
        findings.push(last);
    }
}

/// What the lane groups of files do to each other, if all are applied.
pub fn read_together(files: &[(&str, File)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut earlier: Vec<&LaneGroup> = Vec::new();
    for (name, file) in files {
        for (group, source) in file.groups.iter().zip(&file.sources) {
            if earlier.len() == MAX_GROUPS {
                let message = format!("more than {MAX_GROUPS} lane groups: check them namespace by namespace");
                findings.push(Finding::new(name, source, Severity::Error, Problem::new("", message)));
                return findings;
            }
            findings.extend(together(&earlier, group).at(name, source));
            earlier.push(group);
            if findings.len() > MAX_FINDINGS {
                cut(&mut findings);
                return findings;
            }
        }
    }
    findings
}

impl File {
    fn document(&mut self, name: &str, document: &Document) {
        let value = &document.value;
        let found = match value.get("kind").and_then(Value::as_str) {
            Some("LaneGroup") => self.group(document),
            None if value.get("apiVersion").is_some() => self.group(document),
            None => plugin_config(value, ""),
            Some("WasmPlugin") => plugin_config_in(value, "WasmPlugin", "spec.pluginConfig"),
            Some("TrafficExtension") => plugin_config_in(value, "TrafficExtension", "spec.wasm.pluginConfig"),
            Some(kind) => refused(format!(
                "`{kind}` is nothing to check: expected a LaneGroup, a WasmPlugin, a TrafficExtension or a pluginConfig"
            )),
        };
        let left = (2 * MAX_FINDINGS).saturating_sub(self.findings.len());
        self.findings.extend(found.at(name, document).take(left.max(1)));
    }

    fn group(&mut self, document: &Document) -> Findings {
        let group = match schema::read(&document.value) {
            Ok(group) => group,
            Err(errors) => return Findings { errors, warnings: Vec::new() },
        };
        let findings = check(&group);
        if findings.is_valid() {
            self.groups.push(group);
            self.sources.push(document.clone());
        }
        findings
    }
}

fn refused(message: String) -> Findings {
    Findings { errors: vec![Problem::new("", message)], warnings: Vec::new() }
}

fn plugin_config_in(document: &Value, kind: &str, field: &str) -> Findings {
    match document.pointer(&format!("/{}", field.replace('.', "/"))) {
        Some(config) => plugin_config(config, field),
        None => refused(format!("the {kind} has no {field}")),
    }
}

/// What the filter says of a configuration in a field.
fn plugin_config(config: &Value, field: &str) -> Findings {
    let inside = |problem: Problem| match (field, problem.path.as_str()) {
        ("", _) => problem,
        (field, "") => Problem::new(field, problem.message),
        (field, path) => Problem::new(child(field, path), problem.message),
    };
    match filter::read(config) {
        Ok(warnings) => Findings { errors: Vec::new(), warnings: warnings.into_iter().map(inside).collect() },
        Err(refused) => Findings { errors: refused.0.into_iter().map(inside).collect(), warnings: Vec::new() },
    }
}
