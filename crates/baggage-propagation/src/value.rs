//! The value of a member of this filter, written so that it comes back whatever carried it.
//!
//! The application's SDK decodes what it gets and encodes it again, and SDKs disagree (measured with OpenTelemetry's
//! Python and Java):
//!
//! - Python reads a `+` as a space and writes a space as `+`; it writes a plus as `%2B`, as Java does. This filter writes
//!   `%20` and `%2B`, so a bare `+` that comes back is Python's space.
//! - Python makes properties a part of the value: `lane=s2;ttl=30` becomes `lane=s2%3Bttl%3D30`, which is the value
//!   `s2;ttl=30`. So a value that holds a `;` is written with one more at its end, which properties never have; one that
//!   comes back without it is cut at its first `;`.

use std::borrow::Cow;

use baggage::{Member, decode, encode};
use header_edit::HeaderValue;

/// A header's value as the value of a member.
pub(crate) fn write(header: &[u8]) -> Vec<u8> {
    encode(&marked(header))
}

/// Whether everybody who reads the member reads what they would read if this filter wrote it.
pub(crate) fn is_written(member: Member<'_>, header: &[u8]) -> bool {
    let is_ambiguous = member.properties().is_some() || member.raw_value().is_some_and(|raw| raw.contains(&b'+'));
    !is_ambiguous && member.value().is_some_and(|value| value == marked(header))
}

fn marked(header: &[u8]) -> Cow<'_, [u8]> {
    if header.contains(&b';') { Cow::Owned([header, b";"].concat()) } else { Cow::Borrowed(header) }
}

/// A member's value as the value of a header; empty if the member is. `None` if it is broken, or if HTTP does not allow
/// it: what is decoded can be anything, line breaks too, to which Envoy would answer 503.
pub(crate) fn read(member: Member<'_>) -> Option<HeaderValue> {
    let value = member.value()?;
    let raw = member.raw_value()?;
    let value = if raw.contains(&b'+') { decode_with_spaces(raw)? } else { value };
    HeaderValue::parse(without_properties(&value)).ok()
}

fn decode_with_spaces(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    let raw: Vec<u8> = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    decode(&raw).map(|value| Cow::Owned(value.into_owned()))
}

fn without_properties(value: &[u8]) -> &[u8] {
    match (value.iter().position(|byte| *byte == b';'), value.split_last()) {
        (Some(_), Some((b';', written))) if written.contains(&b';') => written,
        (Some(at), _) => value.get(..at).unwrap_or_default().trim_ascii_end(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use baggage::List;

    use super::*;

    fn read_list(list: &[u8]) -> Option<Vec<u8>> {
        read(List(list).members().next().unwrap()).map(|value| value.as_bytes().to_vec())
    }

    #[test]
    fn what_is_written_comes_back() {
        let every_byte: Vec<u8> = (0x21..=u8::MAX).filter(|byte| *byte != 0x7f).collect();
        for header in [
            b"v2".as_slice(),
            b"a b",
            b"a+b",
            b"100%",
            b"a,b",
            b"a=b",
            b"a\tb",
            b";",
            b"a;b",
            b"a;",
            b";;",
            &every_byte,
        ] {
            let member = [b"k=".as_slice(), &write(header)].concat();
            assert_eq!(read_list(&member).as_deref(), Some(header), "{}", member.escape_ascii());
        }
    }

    #[test]
    fn properties_are_cut_before_and_after_decoding() {
        for member in ["k=s2;ttl=30;p", "k=s2%3Bttl%3D30%3Bp", "k=s2%3Bp", "k=s2+%3B+p", "k=s2%3Bp;q=%3B"] {
            assert_eq!(read_list(member.as_bytes()).as_deref(), Some(b"s2".as_slice()), "{member}");
        }
    }

    #[test]
    fn a_space_comes_back_from_python() {
        assert_eq!(read_list(b"k=a+b%2Bc%20d").as_deref(), Some(b"a b+c d".as_slice()));
    }

    #[test]
    fn values_that_http_does_not_allow_are_none() {
        for member in ["k=%0d%0aset-cookie:x", "k=a%00", "k=%20a", "k=a+", "k=%", "k=a b", "k=\"a\"", "k=\u{e9}"] {
            assert_eq!(read_list(member.as_bytes()), None, "{member}");
        }
        assert_eq!(read_list(b"k=").as_deref(), Some(b"".as_slice()));
    }
}
