//! The conditions of a rule.

use header_edit::{HeaderName, HeaderValue};

use super::Compiler;
use crate::{
    config::{HeaderMatchConfig, MatchConfig, PathConfig},
    matching::{Condition, HostPattern, PathPattern, RequestMatch},
};

impl Compiler {
    pub(super) fn condition(&mut self, path: &str, config: Option<MatchConfig>) -> RequestMatch {
        let mut conditions = Vec::new();
        if let Some(config) = config {
            let path = format!("{path}.match");
            conditions.extend(config.hosts.map(|hosts| self.hosts(&path, hosts)));
            conditions.extend(config.path.and_then(|pattern| self.path(&path, pattern)));
            conditions.extend(config.methods.map(|methods| self.methods(&path, methods)));
            for (index, header) in self.not_empty(format!("{path}.headers"), config.headers).into_iter().enumerate() {
                conditions.extend(self.header(&format!("{path}.headers[{index}]"), header));
            }
        }
        RequestMatch(conditions)
    }

    fn hosts(&mut self, path: &str, hosts: Vec<String>) -> Condition {
        let path = format!("{path}.hosts");
        let mut patterns = Vec::new();
        for (index, host) in self.not_empty(path.clone(), Some(hosts)).into_iter().enumerate() {
            let expected = "expected a host without port, `*.` and a domain, or `*`";
            patterns.extend(self.check(format!("{path}[{index}]"), HostPattern::parse(&host).ok_or(expected)));
        }
        Condition::Hosts { authority: self.known_line(":authority"), patterns }
    }

    fn path(&mut self, path: &str, config: PathConfig) -> Option<Condition> {
        let path = format!("{path}.path");
        let (field, text, pattern) = match (config.prefix, config.exact) {
            (Some(text), None) => ("prefix", text.clone(), PathPattern::Prefix(text)),
            (None, Some(text)) => ("exact", text.clone(), PathPattern::Exact(text)),
            _ => {
                self.error(path, "expected exactly one of `prefix` and `exact`");
                return None;
            }
        };
        if !text.starts_with('/') || text.contains(['?', '#']) {
            self.error(format!("{path}.{field}"), "expected a path that starts with `/`, without a query");
        }
        Some(Condition::Path { path: self.known_line(":path"), pattern })
    }

    fn methods(&mut self, path: &str, methods: Vec<String>) -> Condition {
        let path = format!("{path}.methods");
        let allowed = self.not_empty(path.clone(), Some(methods));
        for (index, method) in allowed.iter().enumerate() {
            // A method is a token, as a header's name is (RFC 9110, section 9.1).
            self.check(
                format!("{path}[{index}]"),
                HeaderName::parse(method).map_err(|_| "not a method: letters, digits and punctuation only"),
            );
        }
        Condition::Methods { method: self.known_line(":method"), allowed }
    }

    fn header(&mut self, path: &str, config: HeaderMatchConfig) -> Option<Condition> {
        let exact = self.check(format!("{path}.exact"), HeaderValue::parse(config.exact));
        if exact.as_ref().is_some_and(|exact| exact.as_bytes().is_empty()) {
            self.error(format!("{path}.exact"), "expected a value: a header that is empty is read as none");
        }
        let line = self.line(format!("{path}.name"), &config.name);
        Some(Condition::Header { line: line?, exact: exact?.as_bytes().to_vec() })
    }

    /// The entries of a list that says nothing if it is there but empty.
    pub(super) fn not_empty<T>(&mut self, path: String, list: Option<Vec<T>>) -> Vec<T> {
        if list.as_ref().is_some_and(Vec::is_empty) {
            self.error(path, "expected at least one entry");
        }
        list.unwrap_or_default()
    }

    /// The index of a header line that is read, by the name that the user gave.
    pub(super) fn line(&mut self, path: String, name: &str) -> Option<usize> {
        let name = self.check(path, HeaderName::parse(name))?;
        Some(self.tagger.lines.intern(name.as_str().to_owned()))
    }

    /// The index of a header line that is read, by a name that needs no check.
    pub(super) fn known_line(&mut self, name: &str) -> usize {
        self.tagger.lines.intern(name.to_owned())
    }
}
