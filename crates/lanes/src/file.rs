//! A file of documents: lane groups, plug-in configurations, and what else is in it.

use plugin_config::Problem;
use serde_json::Value;

use crate::{
    bounds::{MAX_FINDINGS, MAX_GROUPS},
    check::{check, together},
    document::LaneGroup,
    filter,
    finding::{Finding, Severity},
    schema,
    yaml::{Document, documents},
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
            let found = together(&earlier, group);
            let errors = found.errors.into_iter().map(|problem| Finding::new(name, source, Severity::Error, problem));
            let warnings =
                found.warnings.into_iter().map(|problem| Finding::new(name, source, Severity::Warning, problem));
            findings.extend(errors.chain(warnings));
            earlier.push(group);
            if findings.len() > MAX_FINDINGS {
                cut(&mut findings);
                return findings;
            }
        }
    }
    findings
}

/// What a document is.
enum Content<'a> {
    LaneGroup,
    /// A filter's configuration, and the field that holds it: none if it is the document itself.
    PluginConfig(&'a Value, &'static str),
    Unknown(String),
}

impl File {
    fn document(&mut self, name: &str, document: &Document) {
        match content(&document.value) {
            Content::LaneGroup => match schema::read(&document.value) {
                Ok(group) => {
                    let findings = check(&group);
                    let is_valid = findings.is_valid();
                    self.add(name, document, Severity::Error, findings.errors);
                    self.add(name, document, Severity::Warning, findings.warnings);
                    if is_valid {
                        self.groups.push(group);
                        self.sources.push(document.clone());
                    }
                }
                Err(problems) => self.add(name, document, Severity::Error, problems),
            },
            Content::PluginConfig(config, field) => self.plugin_config(name, document, config, field),
            Content::Unknown(message) => {
                self.add(name, document, Severity::Error, vec![Problem::new("", message)]);
            }
        }
    }

    fn plugin_config(&mut self, name: &str, document: &Document, config: &Value, field: &str) {
        let inside = |problem: Problem| {
            let dot = if field.is_empty() || problem.path.is_empty() { "" } else { "." };
            Problem::new(format!("{field}{dot}{}", problem.path), problem.message)
        };
        match filter::read(config) {
            Ok(warnings) => {
                self.add(name, document, Severity::Warning, warnings.into_iter().map(inside).collect());
            }
            Err(refused) => {
                self.add(name, document, Severity::Error, refused.0.into_iter().map(inside).collect());
            }
        }
    }

    fn add(&mut self, name: &str, document: &Document, severity: Severity, problems: Vec<Problem>) {
        let left = (2 * MAX_FINDINGS).saturating_sub(self.findings.len());
        let problems = problems.into_iter().take(left.max(1));
        self.findings.extend(problems.map(|problem| Finding::new(name, document, severity, problem)));
    }
}

fn content(document: &Value) -> Content<'_> {
    let kind = document.get("kind").and_then(Value::as_str);
    match kind {
        Some("LaneGroup") => Content::LaneGroup,
        Some("WasmPlugin") => match document.pointer("/spec/pluginConfig") {
            Some(config) => Content::PluginConfig(config, "spec.pluginConfig"),
            None => Content::Unknown("the WasmPlugin has no spec.pluginConfig".to_owned()),
        },
        Some("TrafficExtension") => match document.pointer("/spec/wasm/pluginConfig") {
            Some(config) => Content::PluginConfig(config, "spec.wasm.pluginConfig"),
            None => Content::Unknown("the TrafficExtension has no spec.wasm.pluginConfig".to_owned()),
        },
        Some(kind) => Content::Unknown(format!(
            "`{kind}` is nothing to check: expected a LaneGroup, a WasmPlugin, a TrafficExtension or a pluginConfig"
        )),
        None if document.get("apiVersion").is_some() => Content::LaneGroup,
        None => Content::PluginConfig(document, ""),
    }
}
