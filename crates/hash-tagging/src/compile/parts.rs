//! The parts of a rule that read the request: its conditions and its identity.

use header_edit::{HeaderName, HeaderValue};

use super::Compiler;
use crate::{
    config::{HeaderMatchConfig, IdentityConfig, MatchConfig, PathConfig},
    identity::{IdentityChain, IdentitySource},
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

    /// The index of the chain of places where the identity is looked for.
    pub(super) fn identity(
        &mut self,
        path: &str,
        header: Option<String>,
        identity: Option<Vec<IdentityConfig>>,
    ) -> Option<usize> {
        let chain: Option<IdentityChain> = match (header, identity) {
            (Some(header), None) => {
                self.line(format!("{path}.header"), &header).map(|line| vec![IdentitySource::Header(line)])
            }
            (None, Some(sources)) => {
                let path = format!("{path}.identity");
                let sources = self.not_empty(path.clone(), Some(sources));
                sources
                    .into_iter()
                    .enumerate()
                    .map(|(index, source)| self.source(&format!("{path}[{index}]"), source))
                    .collect()
            }
            (Some(_), Some(_)) => {
                self.error(path, "`header` and `identity` exclude each other: give one of the two");
                None
            }
            (None, None) => {
                self.error(path, "no identity: expected `header` or `identity`");
                None
            }
        };
        chain.map(|chain| self.tagger.identities.intern(chain))
    }

    fn source(&mut self, path: &str, source: IdentityConfig) -> Option<IdentitySource> {
        match (source.header, source.cookie, source.query, source.claim) {
            (Some(name), None, None, None) => self.line(format!("{path}.header"), &name).map(IdentitySource::Header),
            (None, Some(name), None, None) => {
                // A cookie's name is a token, as a header's is (RFC 6265, section 4.1.1), but keeps its letter case.
                let token =
                    HeaderName::parse(&name).map_err(|_| "not a cookie name: letters, digits and punctuation only");
                self.check(format!("{path}.cookie"), token)?;
                let name = self.tagger.cookies.intern(name.into_bytes());
                Some(IdentitySource::Cookie { line: self.known_line("cookie"), name })
            }
            (None, None, Some(name), None) if name.is_empty() => {
                self.error(format!("{path}.query"), "expected the name of a query parameter");
                None
            }
            (None, None, None, Some(name)) if name.is_empty() => {
                self.error(format!("{path}.claim"), "expected the name of a claim, such as sub");
                None
            }
            (None, None, None, Some(name)) => Some(IdentitySource::Claim(name)),
            (None, None, Some(name), None) => {
                let name = self.tagger.parameters.intern(name.into_bytes());
                Some(IdentitySource::Query { path: self.known_line(":path"), name })
            }
            _ => {
                self.error(path, "expected exactly one of `header`, `cookie`, `query` and `claim`");
                None
            }
        }
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
    fn not_empty<T>(&mut self, path: String, list: Option<Vec<T>>) -> Vec<T> {
        if list.as_ref().is_some_and(Vec::is_empty) {
            self.error(path, "expected at least one entry");
        }
        list.unwrap_or_default()
    }

    /// The index of a header line that is read, by the name that the user gave.
    fn line(&mut self, path: String, name: &str) -> Option<usize> {
        let name = self.check(path, HeaderName::parse(name))?;
        Some(self.tagger.lines.intern(name.as_str().to_owned()))
    }

    /// The index of a header line that is read, by a name that needs no check.
    fn known_line(&mut self, name: &str) -> usize {
        self.tagger.lines.intern(name.to_owned())
    }
}
