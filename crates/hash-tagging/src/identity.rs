//! Where a request says who it is from.

use std::borrow::Cow;

use crate::request::Lines;

/// One place to look. Header lines are named by their index in the tagger's list of headers that it reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum IdentitySource {
    Header(usize),
    Cookie { line: usize, name: String },
    Query { path: usize, name: String },
}

/// The places to look, in order.
pub(crate) type IdentityChain = Vec<IdentitySource>;

/// The identity of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Identity {
    Missing,
    /// A header line as a whole.
    Line(usize),
    /// A part of a line, or what it stands for.
    Part(Vec<u8>),
}

/// The first identity that is present and not empty.
pub(crate) fn find(chain: &[IdentitySource], lines: &mut Lines<'_>) -> Identity {
    chain.iter().find_map(|source| source.read(lines)).unwrap_or(Identity::Missing)
}

// === impl IdentitySource ===

impl IdentitySource {
    fn read(&self, lines: &mut Lines<'_>) -> Option<Identity> {
        let part = match self {
            Self::Header(line) => {
                return lines.get(*line).filter(|value| !value.is_empty()).map(|_| Identity::Line(*line));
            }
            Self::Cookie { line, name } => cookie(lines.get(*line)?, name)?.to_vec(),
            Self::Query { path, name } => query_parameter(lines.get(*path)?, name)?.into_owned(),
        };
        if part.is_empty() { None } else { Some(Identity::Part(part)) }
    }
}

/// The value of a cookie. Names are case-sensitive; quotes around the value are not part of it, as for Envoy's own
/// cookie hash policy (`Http::Utility::parseCookieValue`).
fn cookie<'l>(line: &'l [u8], name: &str) -> Option<&'l [u8]> {
    line.split(|byte| *byte == b';').find_map(|pair| {
        let (key, value) = split_once(pair.trim_ascii(), b'=')?;
        (key == name.as_bytes()).then(|| value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value))
    })
}

/// The first parameter of that name that is not empty, decoded as forms encode it.
fn query_parameter<'l>(path: &'l [u8], name: &str) -> Option<Cow<'l, [u8]>> {
    let (_, query) = split_once(before(path, b'#'), b'?')?;
    query.split(|byte| *byte == b'&').find_map(|pair| {
        let (key, value) = split_once(pair, b'=')?;
        (!value.is_empty() && *form_decoded(key) == *name.as_bytes()).then(|| form_decoded(value))
    })
}

/// `application/x-www-form-urlencoded`: `+` is a space, `%61` is a byte; a `%` that starts no such pair is itself.
fn form_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(text);
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_encoding::percent_decode(&spaced).collect())
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// What stands before the first `end`, or everything.
pub(crate) fn before(bytes: &[u8], end: u8) -> &[u8] {
    bytes.split(|byte| *byte == end).next().unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn cookies_are_found_by_their_exact_name() {
        let line = b"a=1; uid=al ice;b=\"2\" ;c=;d;UID=x";
        let read = |name| cookie(line, name);
        assert_eq!(read("a"), Some(b"1".as_slice()));
        assert_eq!(read("uid"), Some(b"al ice".as_slice()));
        assert_eq!(read("b"), Some(b"2".as_slice()));
        assert_eq!(read("c"), Some(b"".as_slice()));
        assert_eq!(read("d"), None);
        assert_eq!(read("id"), None);
        assert_eq!(cookie(b"x=\"", "x"), Some(b"\"".as_slice()));
    }

    #[test]
    fn query_parameters_are_decoded() {
        let read = |path: &str, name| query_parameter(path.as_bytes(), name).map(Cow::into_owned);
        assert_eq!(read("/a?uid=bob", "uid"), Some(b"bob".to_vec()));
        assert_eq!(read("/a?x=1&uid=al+ice%20b%2Bc#uid=no", "uid"), Some(b"al ice b+c".to_vec()));
        assert_eq!(read("/a?u%69d=bob", "uid"), Some(b"bob".to_vec()));
        assert_eq!(read("/a?uid=%ff%zz%", "uid"), Some(b"\xff%zz%".to_vec()));
        assert_eq!(read("/a?uid=&uid=bob", "uid"), Some(b"bob".to_vec()));
        assert_eq!(read("/a?uid", "uid"), None);
        assert_eq!(read("/a#?uid=bob", "uid"), None);
        assert_eq!(read("/uid=bob", "uid"), None);
    }
}
