//! What Kubernetes, Istio and HTTP allow as names.

use std::collections::BTreeMap;

use header_edit::HeaderName;

use super::Findings;

/// RFC 1123 labels, and names in labels' values (Kubernetes, "Object Names and IDs", "Labels and Selectors").
pub(super) const LONGEST: usize = 63;

impl Findings {
    /// Names of resources, lanes, services and subsets: RFC 1123 labels.
    pub(super) fn name(&mut self, path: &str, name: &str) {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: u8| allowed(byte) || byte == b'-';
        if !is_between(name, 1, LONGEST) || !name.bytes().all(inner) || !has_ends(name, allowed) {
            let message =
                format!("`{name}` is no name: up to 63 lower-case letters, digits and `-`, with no `-` at either end");
            self.error(path, message);
        }
    }

    /// Names of resources that are no labels: RFC 1123 subdomains.
    pub(super) fn resource_name(&mut self, path: &str, name: &str) {
        if !is_host(name) || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let message = format!("`{name}` is no name of a resource: lower-case letters, digits, `-` and `.`");
            self.error(path, message);
        }
    }

    pub(super) fn header(&mut self, path: &str, name: &str) {
        if HeaderName::parse(name).is_err() {
            self.error(
                path,
                format!("`{name}` is no header name: letters, digits and punctuation, and no pseudo-header"),
            );
        }
    }

    /// A token of HTTP, as the keys of baggage are.
    pub(super) fn token(&mut self, path: &str, token: &str) {
        if HeaderName::parse(token).is_err() {
            self.error(path, format!("`{token}` is no token: letters, digits and punctuation only"));
        }
    }

    /// Labels of pods, of which at least one is needed to select anything.
    pub(super) fn labels(&mut self, path: &str, labels: &BTreeMap<String, String>) {
        if labels.is_empty() {
            self.error(path, "expected at least one label: without, every pod would be selected");
        }
        for (key, value) in labels {
            let path = format!("{path}.{key}");
            let (prefix, name) =
                key.rsplit_once('/').map_or((None, key.as_str()), |(prefix, name)| (Some(prefix), name));
            let has_prefix = prefix.is_none_or(|prefix| is_between(prefix, 1, 253) && is_host(prefix));
            if !has_prefix || name.is_empty() || !is_label_text(name) {
                self.error(path.as_str(), format!("`{key}` is no label: see Kubernetes' \"Labels and Selectors\""));
            }
            if !is_label_text(value) {
                let message = format!(
                    "`{value}` is no label's value: up to 63 letters, digits, `-`, `_` and `.`, between letters or digits"
                );
                self.error(path, message);
            }
        }
    }

    /// A name of DNS.
    pub(super) fn domain(&mut self, path: &str, name: &str) {
        if !is_host(name) {
            self.error(path, format!("`{name}` is no name of DNS: letters, digits, `-` and `.`"));
        }
    }

    /// A host that a gateway serves: a name, `*.` and a domain, or `*`.
    pub(super) fn host(&mut self, path: &str, host: &str) {
        let name = host.strip_prefix("*.").unwrap_or(host);
        if host != "*" && !is_host(name) {
            self.error(path, format!("`{host}` is no host: a name, `*.` and a domain, or `*`; no port"));
        }
    }
}

fn is_host(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_part = |part: &str| {
        is_between(part, 1, LONGEST) && part.bytes().all(inner) && has_ends(part, |byte| byte.is_ascii_alphanumeric())
    };
    is_between(name, 1, 253) && name.split('.').all(is_part)
}

fn is_label_text(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.is_empty()
        || (text.len() <= LONGEST && text.bytes().all(inner) && has_ends(text, |b| b.is_ascii_alphanumeric()))
}

fn has_ends(text: &str, is_end: impl Fn(u8) -> bool) -> bool {
    text.bytes().next().is_some_and(&is_end) && text.bytes().next_back().is_some_and(is_end)
}

fn is_between(text: &str, shortest: usize, longest: usize) -> bool {
    (shortest..=longest).contains(&text.len())
}
