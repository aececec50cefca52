//! The tags of a request, one for each route header, as bytes: each after its length, which is 0 for none.

use header_edit::{HeaderName, HeaderValue, RequestHeaders};

use crate::set::{push_bytes, take_bytes};

/// Of one request, all tags together. A tag is the name of a lane: Kubernetes allows 63 bytes for what it is made of.
const MAX_TAGS: usize = 256;

/// What a request carries in its route headers.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Carried {
    /// Nothing: an empty tag is none.
    Nothing,
    /// At least one tag.
    Tags(Vec<u8>),
    /// Together longer than 256 bytes, or none of HTTP's header values.
    Unusable,
}

/// Reads the route headers.
pub(crate) fn read(route_headers: &[HeaderName], headers: &(impl RequestHeaders + ?Sized)) -> Carried {
    let mut bytes = Vec::new();
    let mut length = 0;
    for header in route_headers {
        let tag = headers.value(header.as_str()).unwrap_or_default();
        length += tag.len();
        if length > MAX_TAGS || !HeaderValue::allows(&tag) {
            return Carried::Unusable;
        }
        push_bytes(&mut bytes, &tag);
    }
    if length == 0 { Carried::Nothing } else { Carried::Tags(bytes) }
}

/// The tags in the order of the route headers; `None` if the bytes are not those of `count` tags.
pub(crate) fn decode(mut bytes: &[u8], count: usize) -> Option<Vec<Option<HeaderValue>>> {
    let mut tags = Vec::with_capacity(count);
    for _ in 0..count {
        let tag = take_bytes(&mut bytes)?;
        tags.push(Some(HeaderValue::parse(tag).ok()?).filter(|tag| !tag.as_bytes().is_empty()));
    }
    bytes.is_empty().then_some(tags)
}

#[cfg(test)]
mod tests {
    use header_edit::HeaderList;
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn carried(lines: &[(&str, &[u8])]) -> Carried {
        let names = ["a", "b"].map(|name| HeaderName::parse(name).unwrap());
        read(&names, &lines.iter().map(|(name, value)| (*name, value.to_vec())).collect::<HeaderList>())
    }

    #[test]
    fn tags_keep_their_headers() {
        let Carried::Tags(bytes) = carried(&[("b", b"s\xff2"), ("b", b"s1")]) else { panic!() };
        assert_eq!(decode(&bytes, 2).unwrap(), [None, HeaderValue::parse(b"s\xff2,s1").ok()]);
        assert_eq!((decode(&bytes, 1), decode(&bytes, 3)), (None, None), "of other route headers");
        assert_eq!(decode(b"\x01\0\n\0\0", 2), None, "no header value");
    }

    #[test]
    fn an_empty_tag_is_none() {
        assert_eq!(carried(&[("a", b"")]), Carried::Nothing);
        assert_eq!(carried(&[("c", b"s2")]), Carried::Nothing);
    }

    #[test]
    fn tags_have_a_length_and_are_header_values() {
        assert!(matches!(carried(&[("a", &[b'x'; 200]), ("b", &[b'x'; 56])]), Carried::Tags(_)));
        assert_eq!(carried(&[("a", &[b'x'; 200]), ("b", &[b'x'; 57])]), Carried::Unusable);
        assert_eq!(carried(&[("a", b"s2"), ("b", b" s2")]), Carried::Unusable);
    }
}
