//! Where a request says who it is from.

use std::borrow::Cow;

use crate::{interned::Interned, request::Lines};

/// One place to look. Header lines, cookies and query parameters are named by their index in the tagger's lists.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum IdentitySource {
    Header(usize),
    Cookie {
        line: usize,
        name: usize,
    },
    Query {
        path: usize,
        name: usize,
    },
    Claim(String),
    /// A new one, by the index of the cookie that it is issued as.
    New(usize),
}

/// The places to look, in order.
pub(crate) type IdentityChain = Vec<IdentitySource>;

/// By the index of their names.
pub(crate) type Values = Vec<Option<Vec<u8>>>;

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
pub(crate) fn find(chain: &[IdentitySource], lines: &mut Lines<'_, '_>) -> Identity {
    chain.iter().find_map(|source| source.read(lines)).unwrap_or(Identity::Missing)
}

// === impl IdentitySource ===

impl IdentitySource {
    fn read(&self, lines: &mut Lines<'_, '_>) -> Option<Identity> {
        let part = match self {
            Self::Claim(name) => {
                return lines.claim(name).filter(|claim| !claim.is_empty()).map(Identity::Part);
            }
            Self::New(issue) => return lines.new_id(*issue).map(|id| Identity::Part(id.as_bytes().to_vec())),
            Self::Header(line) => {
                return lines.get(*line).filter(|value| !value.is_empty()).map(|_| Identity::Line(*line));
            }
            Self::Cookie { line, name } => lines.cookie(*line, *name)?,
            Self::Query { path, name } => lines.parameter(*path, *name)?,
        };
        if part.is_empty() { None } else { Some(Identity::Part(part.to_vec())) }
    }
}

/// The values of the cookies that are looked for. Names are case-sensitive; quotes around the value are not part of it, as
/// for Envoy's own cookie hash policy (`Http::Utility::parseCookieValue`).
pub(crate) fn cookies(line: &[u8], names: &Interned<Vec<u8>>) -> Values {
    let pairs = line.split(|byte| *byte == b';').filter_map(|pair| split_once(pair.trim_ascii(), b'='));
    let unquoted =
        |value: &[u8]| value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value).to_vec();
    first_of_each(names, pairs.map(|(name, value)| (Cow::Borrowed(name), value)), unquoted)
}

/// The values of the query parameters that are looked for: of each name the first that is not empty, decoded as forms
/// encode it.
pub(crate) fn parameters(path: &[u8], names: &Interned<Vec<u8>>) -> Values {
    let query = split_once(before(path, b'#'), b'?').map(|(_, query)| query).unwrap_or_default();
    let pairs = query.split(|byte| *byte == b'&').filter_map(|pair| split_once(pair, b'='));
    let pairs = pairs.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (form_decoded(name), value));
    first_of_each(names, pairs, |value| form_decoded(value).into_owned())
}

/// One pass, however many names are looked for.
fn first_of_each<'l>(
    names: &Interned<Vec<u8>>,
    pairs: impl Iterator<Item = (Cow<'l, [u8]>, &'l [u8])>,
    read: impl Fn(&[u8]) -> Vec<u8>,
) -> Values {
    let mut values = vec![None; names.entries().len()];
    let mut missing = values.len();
    for (name, value) in pairs {
        if missing == 0 {
            break;
        }
        if let Some(slot) = names.position(&name).and_then(|index| values.get_mut(index))
            && slot.is_none()
        {
            *slot = Some(read(value));
            missing -= 1;
        }
    }
    values
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
fn before(bytes: &[u8], end: u8) -> &[u8] {
    bytes.split(|byte| *byte == end).next().unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The value of the one name that is looked for.
    fn read(find: fn(&[u8], &Interned<Vec<u8>>) -> Values, line: &[u8], name: &str) -> Option<Vec<u8>> {
        let mut names = Interned::default();
        names.intern(name.as_bytes().to_vec());
        find(line, &names).remove(0)
    }

    #[test]
    fn cookies_are_found_by_their_exact_name() {
        let line = b"a=1; uid=al ice;b=\"2\" ;c=;d;UID=x";
        let cookie = |name| read(cookies, line, name);
        assert_eq!(cookie("a"), Some(b"1".to_vec()));
        assert_eq!(cookie("uid"), Some(b"al ice".to_vec()));
        assert_eq!(cookie("b"), Some(b"2".to_vec()));
        assert_eq!(cookie("c"), Some(b"".to_vec()));
        assert_eq!(cookie("d"), None);
        assert_eq!(cookie("id"), None);
        assert_eq!(read(cookies, b"x=\"", "x"), Some(b"\"".to_vec()));
    }

    #[test]
    fn query_parameters_are_decoded() {
        let read = |path: &str, name| read(parameters, path.as_bytes(), name);
        assert_eq!(read("/a?uid=bob", "uid"), Some(b"bob".to_vec()));
        assert_eq!(read("/a?x=1&uid=al+ice%20b%2Bc#uid=no", "uid"), Some(b"al ice b+c".to_vec()));
        assert_eq!(read("/a?u%69d=bob", "uid"), Some(b"bob".to_vec()));
        assert_eq!(read("/a?uid=%ff%zz%", "uid"), Some(b"\xff%zz%".to_vec()));
        assert_eq!(read("/a?uid=&uid=bob", "uid"), Some(b"bob".to_vec()));
        assert_eq!(read("/a?uid", "uid"), None);
        assert_eq!(read("/a#?uid=bob", "uid"), None);
        assert_eq!(read("/uid=bob", "uid"), None);
    }
    #[test]
    fn all_names_are_found_in_one_pass() {
        let mut names = Interned::default();
        for name in ["b", "none", "a"] {
            names.intern(name.as_bytes().to_vec());
        }
        let values = parameters(b"/?a=&c=1&a=2&b=3&a=4&b=5", &names);
        assert_eq!(values, [Some(b"3".to_vec()), None, Some(b"2".to_vec())]);
        let values = cookies(b"a=2; b=3; a=4", &names);
        assert_eq!(values, [Some(b"3".to_vec()), None, Some(b"2".to_vec())]);
    }
}
