//! Reading: from a list to the parts of its members.

use std::borrow::Cow;

use crate::percent;

/// A `baggage-string`: the value of the `baggage` header, several lines of it joined by commas (specification, sections 3
/// and 3.3.1).
///
/// Any bytes are a list. What the specification's grammar does not allow is still cut at the commas, because what a
/// recipient does not understand is not for it to change.
#[derive(Clone, Copy, Debug)]
pub struct List<'a>(pub &'a [u8]);

/// What stands between two commas of a [`List`]: a `list-member`, or what somebody took for one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member<'a> {
    bytes: &'a [u8],
    /// Key and value.
    pair: Option<(&'a [u8], &'a [u8])>,
}

/// The members of a [`List`], in order.
#[derive(Clone, Debug)]
pub struct Members<'a>(Option<&'a [u8]>);

// === impl List ===

impl<'a> List<'a> {
    /// Everything between the commas, in order: empty members too, and those that follow no grammar. Their order and
    /// their duplicates mean something (specification, section 3.3.1.1). A list of nothing but white space has none.
    pub fn members(self) -> Members<'a> {
        Members(Some(trim(self.0)).filter(|list| !list.is_empty()))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        let rest = self.0.take()?;
        let comma = rest.iter().position(|byte| *byte == b',');
        self.0 = comma.and_then(|comma| rest.get(comma + 1..));
        rest.get(..comma.unwrap_or(rest.len())).map(Member::new)
    }
}

// === impl Member ===

impl<'a> Member<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let end = bytes.iter().position(|byte| matches!(byte, b'=' | b';'));
        let equals = end.filter(|at| bytes.get(*at) == Some(&b'='));
        let pair = equals.and_then(|equals| {
            let value = bytes.get(equals + 1..)?;
            let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
            Some((trim(bytes.get(..equals)?), trim(value.get(..end)?)))
        });
        Self { bytes, pair }
    }

    /// Every byte between the commas, with the white space around the member.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there is nothing but white space. HTTP has recipients of a list ignore such elements (RFC 9110, section
    /// 5.6.1.2).
    pub fn is_empty(self) -> bool {
        trim(self.bytes).is_empty()
    }

    /// What stands before the first `=`, without the white space around it; `None` if there is no `=` or only one that
    /// belongs to a property.
    ///
    /// Keys are compared byte for byte: they are case-sensitive and not percent-encoded (specification, section
    /// 3.3.1.2). A key need not be the token that the specification asks for: [`is_token`] says.
    pub fn key(self) -> Option<&'a [u8]> {
        self.pair.map(|(key, _)| key)
    }

    /// The value as it is written, without properties and without the white space around it: everything after the first
    /// `=`, further ones included (specification, section 3.3.1.3).
    pub fn raw_value(self) -> Option<&'a [u8]> {
        self.pair.map(|(_, value)| value)
    }

    /// The value, percent-decoded.
    ///
    /// It may be any bytes. Where the specification (section 3.3.1.3) wants text, it has every sequence that is not UTF-8
    /// replaced by U+FFFD, as [`String::from_utf8_lossy`] does; a header's value is bytes, so this leaves them.
    ///
    /// `None` if there is no value, if a byte of it is no `baggage-octet` (section 3.3.1: white space, quotes,
    /// backslashes, control characters and whatever is not ASCII), or if its percent-encoding is broken.
    pub fn value(self) -> Option<Cow<'a, [u8]>> {
        let value = self.raw_value()?;
        if value.iter().all(|byte| is_baggage_octet(*byte)) { percent::decode(value) } else { None }
    }

    /// Everything after the first `;`, as it is written: the properties, which are opaque (specification, section
    /// 3.3.1.4). `None` if there is no `;`.
    pub fn properties(self) -> Option<&'a [u8]> {
        self.bytes.iter().position(|byte| *byte == b';').and_then(|at| self.bytes.get(at + 1..))
    }

    /// Whether a `%` in the value or in the properties is not followed by two hexadecimal digits (specification, section
    /// 3.3.1.3; RFC 3986, section 2.1). What has no `=` has nothing that is encoded.
    ///
    /// OpenTelemetry's Java SDK drops the whole list when it meets such a member.
    pub fn has_broken_encoding(self) -> bool {
        let encoded = self.key().and_then(|_| self.bytes.iter().position(|byte| *byte == b'='));
        encoded.and_then(|at| self.bytes.get(at..)).is_some_and(|encoded| percent::decode(encoded).is_none())
    }
}

/// Whether the bytes are a `token` (RFC 9110, section 5.6.2), which a key must be (specification, section 3.3.1.2).
pub fn is_token(bytes: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(allowed)
}

/// `baggage-octet` (specification, section 3.3.1).
fn is_baggage_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// Without optional white space (RFC 9110, section 5.6.3) at either end.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let visible = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(visible).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(visible).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn only(list: &str) -> Member<'_> {
        let mut members = List(list.as_bytes()).members();
        let member = members.next().unwrap();
        assert_eq!(members.next(), None, "{list}");
        member
    }

    #[test]
    fn a_member_is_key_value_and_properties() {
        let member = only("\tkey \t=\t va=lue ; p ; q = 1 ");
        assert_eq!(member.key(), Some(b"key".as_slice()));
        assert_eq!(member.raw_value(), Some(b"va=lue".as_slice()));
        assert_eq!(member.properties(), Some(b" p ; q = 1".as_slice()));
    }

    #[test]
    fn members_keep_every_byte_between_the_commas() {
        let members: Vec<&[u8]> = List(b" a=1 ,, \tb ,\xff=2;").members().map(Member::as_bytes).collect();
        assert_eq!(members, [b"a=1 ".as_slice(), b"", b" \tb ", b"\xff=2;"]);
    }

    #[test]
    fn without_an_equals_sign_of_its_own_a_member_has_no_key() {
        assert_eq!(List(b" \t").members().next(), None);
        for list in ["a", "a;b=1", ";", ";a=1"] {
            assert_eq!(only(list).key(), None, "{list}");
        }
        assert_eq!(only("=v").key(), Some(b"".as_slice()));
    }

    #[test]
    fn values_are_made_of_baggage_octets() {
        for byte in 0..=u8::MAX {
            let list = [b'k', b'=', b'a', byte, b'z'];
            let refused = byte <= 0x20 || byte >= 0x7f || b"\"\\%".contains(&byte);
            match byte {
                // They end the value.
                b',' | b';' => {
                    assert_eq!(List(&list).members().next().unwrap().value().as_deref(), Some(b"a".as_slice()))
                }
                _ => assert_eq!(List(&list).members().next().unwrap().value().is_none(), refused, "{byte:#x}"),
            }
        }
    }

    #[test]
    fn encoding_can_be_broken_in_the_value_and_in_the_properties() {
        for list in ["k=%", "k=%2", "k=%zz", "k=1;p=%zz", "k=1;%", "k=%+1"] {
            assert!(only(list).has_broken_encoding(), "{list}");
        }
        for list in ["a", "%zz", "k;%zz", "%zz=1", "k=%20;p=%20"] {
            assert!(!only(list).has_broken_encoding(), "{list}");
        }
    }
}
