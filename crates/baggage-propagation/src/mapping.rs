//! Which header goes with which member.

use std::{borrow::Cow, collections::BTreeSet, ops::Bound};

use baggage::{List, Member, decode};
use header_edit::HeaderName;

/// The header that holds the list itself.
pub(crate) const BAGGAGE: &str = "baggage";

/// Headers that no member may become: the list itself, and what says where a message ends and where it goes (RFC 9110,
/// section 7.6.1; RFC 9112, section 6). With a prefix, the name comes from whoever wrote the baggage.
const RESERVED: [&str; 10] = [
    BAGGAGE,
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header and its member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Mapping {
    pub(crate) key: String,
    pub(crate) header: HeaderName,
}

/// Everything that is carried. No header and no key is mapped twice.
#[derive(Debug, Default)]
pub(crate) struct Mappings {
    pub(crate) named: Vec<Mapping>,
    /// In lower case. None starts with another.
    pub(crate) prefixes: BTreeSet<String>,
}

/// Who a member belongs to.
pub(crate) struct Owner<'m> {
    pub(crate) mapping: Cow<'m, Mapping>,
    /// The key only becomes the mapping's when it is decoded. The specification does not have keys decoded, so this is
    /// no value to read. But OpenTelemetry's Python SDK does, and passes the member on with the decoded key as it is, so
    /// that also `a%2Clane%3Ds2=` arrives as the member `lane` at the next hop.
    pub(crate) is_disguised: bool,
}

// === impl Mappings ===

impl Mappings {
    /// The mapping that a member belongs to.
    pub(crate) fn owner(&self, member: Member<'_>) -> Option<Owner<'_>> {
        let key = member.key()?;
        if let Some(mapping) = self.of_key(key) {
            return Some(Owner { mapping, is_disguised: false });
        }
        // As almost all keys are: with nothing to decode, and nothing that could pass for white space.
        if key.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
            return None;
        }
        let decoded = [decode_again(key).as_slice(), b"="].concat();
        let mut keys = List(&decoded).members().filter_map(Member::key);
        keys.find_map(|key| self.of_key(without_blanks(key))).map(|mapping| {
            let mapping = Cow::Owned(mapping.into_owned());
            Owner { mapping, is_disguised: true }
        })
    }

    /// The mapping that a header belongs to by a prefix; `name` is in lower case.
    pub(crate) fn of_prefixed(&self, name: &str) -> Option<Mapping> {
        let mapping = |header: HeaderName| Mapping { key: header.as_str().to_owned(), header };
        self.prefix_of(name).and_then(|_| HeaderName::parse(name).ok()).map(mapping)
    }

    /// The prefix that the name starts with. It is the last that does not sort behind the name: one in between would start
    /// with it.
    pub(crate) fn prefix_of(&self, name: &str) -> Option<&String> {
        let up_to_name = (Bound::Unbounded, Bound::Included(name));
        self.prefixes.range::<str, _>(up_to_name).next_back().filter(|prefix| name.starts_with(prefix.as_str()))
    }

    /// The first prefix that starts with the text.
    pub(crate) fn prefix_below(&self, text: &str) -> Option<&String> {
        let from_text = (Bound::Included(text), Bound::Unbounded);
        self.prefixes.range::<str, _>(from_text).next().filter(|prefix| prefix.starts_with(text))
    }

    fn of_key(&self, key: &[u8]) -> Option<Cow<'_, Mapping>> {
        if let Some(mapping) = self.named.iter().find(|mapping| mapping.key.as_bytes() == key) {
            return Some(Cow::Borrowed(mapping));
        }
        if self.prefixes.is_empty() {
            return None;
        }
        let key = str::from_utf8(key).ok().filter(|key| !key.bytes().any(|byte| byte.is_ascii_uppercase()))?;
        self.of_prefixed(key).map(Cow::Owned)
    }
}

/// What a key can become however often it is decoded, a `+` as a space: there may be an application at every hop.
fn decode_again(key: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(key.len());
    for byte in key {
        decoded.push(*byte);
        // A decoded byte can complete another sequence.
        while let Some((rest, triple)) = decoded.split_last_chunk::<3>()
            && triple.starts_with(b"%")
            && let Some(byte) = decode(triple).and_then(|byte| byte.first().copied())
        {
            decoded.truncate(rest.len());
            decoded.push(byte);
        }
    }
    decoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
}

/// Without what some language takes for white space, in UTF-8 or in ISO 8859-1.
fn without_blanks(key: &[u8]) -> &[u8] {
    if let Ok(key) = str::from_utf8(key) {
        return key.trim_matches(|c: char| c.is_whitespace() || c.is_control()).as_bytes();
    }
    let visible = |byte: &u8| !matches!(byte, 0..=b' ' | 0x7f | 0x85 | 0xa0);
    let start = key.iter().position(visible).unwrap_or(key.len());
    let end = key.iter().rposition(visible).map_or(start, |last| last + 1);
    key.get(start..end).unwrap_or_default()
}

/// Whether a member may become a header of this name, or of one that starts like it.
pub(crate) fn reserved_below(prefix: &str) -> Option<&'static str> {
    RESERVED.into_iter().find(|reserved| reserved.starts_with(prefix))
}

/// Whether a member may not become this header.
pub(crate) fn is_reserved(header: &HeaderName) -> bool {
    RESERVED.contains(&header.as_str())
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn owner(member: &str) -> Option<(String, bool)> {
        let named = vec![Mapping { key: "Lane".to_owned(), header: HeaderName::parse("tag").unwrap() }];
        let mappings = Mappings { named, prefixes: ["x-lane-".to_owned()].into() };
        let owner = mappings.owner(List(member.as_bytes()).members().next().unwrap())?;
        Some((owner.mapping.header.as_str().to_owned(), owner.is_disguised))
    }

    #[test]
    fn keys_are_case_sensitive() {
        assert_eq!(owner("Lane=1"), Some(("tag".to_owned(), false)));
        assert_eq!(owner("x-lane-a=1"), Some(("x-lane-a".to_owned(), false)));
        for other in
            ["lane=1", "Lane", "Lane;a=1", "x-lane-A=1", "X-lane-a=1", "x-lan=1", "x-lane-\u{e9}=1", "x-lane- a=1"]
        {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    fn keys_that_only_decode_to_an_own_one_are_known() {
        for disguised in ["%4Cane=1", "Lane+=1", "+%4c%61%6E%65%20=1", "Lane%3Ds2=1", "a%2cLane%3Ds2=1", "%25%34Cane=1"]
        {
            assert_eq!(owner(disguised), Some(("tag".to_owned(), true)), "{disguised}");
        }
        assert_eq!(owner("%zzLane=1"), None);
        assert_eq!(owner("a%3DLane=1"), None);
    }
    #[test]
    fn of_many_prefixes_the_right_one_is_found() {
        let prefixes = ["a-", "lane-a", "lane-b", "z"].map(str::to_owned).into();
        let mappings = Mappings { named: Vec::new(), prefixes };
        for (name, prefix) in [("a-", "a-"), ("lane-a.b", "lane-a"), ("lane-b", "lane-b"), ("zz~", "z")] {
            assert_eq!(mappings.prefix_of(name).map(String::as_str), Some(prefix), "{name}");
        }
        for name in ["", "a", "b", "lane-", "lane-c", "lane-`"] {
            assert_eq!(mappings.prefix_of(name), None, "{name}");
        }
        assert_eq!(mappings.prefix_below("lane-").map(String::as_str), Some("lane-a"));
        assert_eq!(mappings.prefix_below("lane-c"), None);
    }
}
