//! Which requests a rule looks at.

use crate::request::Lines;

/// Conditions that must all hold. Header lines are named by their index in the tagger's list.
#[derive(Debug, Default)]
pub(crate) struct RequestMatch(pub(crate) Vec<Condition>);

#[derive(Debug)]
pub(crate) enum Condition {
    Hosts { authority: usize, patterns: Vec<HostPattern> },
    Path { path: usize, pattern: PathPattern },
    Methods { method: usize, allowed: Vec<String> },
    Header { line: usize, exact: Vec<u8> },
}

#[derive(Debug)]
pub(crate) enum HostPattern {
    Any,
    Exact(String),
    /// Every host below a domain: the text after the `*`, with its dot.
    Below(String),
}

#[derive(Debug)]
pub(crate) enum PathPattern {
    Prefix(String),
    Exact(String),
}

// === impl RequestMatch ===

impl RequestMatch {
    pub(crate) fn holds(&self, lines: &mut Lines<'_, '_>) -> bool {
        self.0.iter().all(|condition| condition.holds(lines))
    }
}

impl Condition {
    fn holds(&self, lines: &mut Lines<'_, '_>) -> bool {
        match self {
            Self::Hosts { authority, patterns } => {
                let host = lines.get(*authority).map_or(b"".as_slice(), without_port);
                patterns.iter().any(|pattern| pattern.holds(host))
            }
            Self::Path { path, pattern } => lines.get(*path).is_some_and(|path| pattern.holds(without_query(path))),
            Self::Methods { method, allowed } => {
                lines.get(*method).is_some_and(|method| allowed.iter().any(|name| name.as_bytes() == method))
            }
            Self::Header { line, exact } => lines.get(*line) == Some(exact),
        }
    }
}

impl HostPattern {
    /// `None` if the text is no host and no wildcard that Envoy or Istio would understand.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |host: &str| !host.is_empty() && !host.contains(['*', '/', '@', ' ']);
        match text.strip_prefix('*') {
            Some("") => Some(Self::Any),
            Some(domain) if domain.len() > 1 && domain.starts_with('.') && plain(domain) => {
                Some(Self::Below(domain.to_owned()))
            }
            None if plain(text) && without_port(text.as_bytes()).len() == text.len() => {
                Some(Self::Exact(text.to_owned()))
            }
            _ => None,
        }
    }

    fn holds(&self, host: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => host.eq_ignore_ascii_case(exact.as_bytes()),
            // `*.example.com` is no match for `.example.com` itself, as in Envoy's virtual hosts.
            Self::Below(domain) => host
                .len()
                .checked_sub(domain.len())
                .filter(|at| *at > 0)
                .and_then(|at| host.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(domain.as_bytes())),
        }
    }
}

impl PathPattern {
    fn holds(&self, path: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => path.starts_with(prefix.as_bytes()),
            Self::Exact(exact) => path == exact.as_bytes(),
        }
    }
}

/// The host of `host:port` as Envoy's router cuts it, whatever stands behind the colon; those of an IPv6 address in
/// brackets are no port (`HeaderUtility::getPortStart`).
fn without_port(authority: &[u8]) -> &[u8] {
    match authority.iter().rposition(|byte| matches!(byte, b':' | b']')) {
        Some(at) => authority.get(..at).filter(|_| authority.get(at) == Some(&b':')).unwrap_or(authority),
        None => authority,
    }
}

/// The path as Envoy's routes match it (`PathUtil::removeQueryAndFragment`).
fn without_query(path: &[u8]) -> &[u8] {
    path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn hosts_are_compared_without_port_and_letter_case() {
        let holds = |pattern: &str, authority: &str| {
            HostPattern::parse(pattern).unwrap().holds(without_port(authority.as_bytes()))
        };
        for port in ["", ":", ":8080", ":abc"] {
            assert!(holds("shop.example.com", &format!("Shop.Example.Com{port}")), "{port}");
            assert!(holds("[::1]", &format!("[::1]{port}")), "{port}");
        }
        assert!(!holds("shop.example.com", "shop.example.com:1:2"));
        assert!(!holds("shop.example.com", "shop.example.com:[1]"));
        assert!(!holds("shop.example.com", "shop.example.com."));
        assert!(!holds("shop.example.com", "shop.example.com.evil"));
        assert!(holds("*.example.com", "a.b.example.com"));
        assert!(!holds("*.example.com", "example.com"));
        assert!(!holds("*.example.com", ".example.com"));
        assert!(!holds("*.example.com", "evilexample.com"));
        assert!(holds("*", ""));
    }

    #[test]
    fn paths_are_compared_without_query_and_fragment() {
        let holds = |path: &[u8]| PathPattern::Exact("/api".to_owned()).holds(without_query(path));
        for path in ["/api", "/api?a=/b#c", "/api#c?a=/b", "/api?", "/api#"] {
            assert!(holds(path.as_bytes()), "{path}");
        }
        for path in ["", "/api/", "/api;a=b", "//api", "/%61pi", "/api%3F"] {
            assert!(!holds(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn a_pattern_is_a_host_or_a_domain_below() {
        for pattern in ["", "*.", "*a.com", "a.*", "a.*.com", "http://a", "a b", "a.com:80", "a.com:", "::1", "a/"] {
            assert!(HostPattern::parse(pattern).is_none(), "{pattern:?}");
        }
    }
}
