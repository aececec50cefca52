//! Names and values that HTTP allows, checked once.

use std::fmt;

/// A header field name in lower case: a token of RFC 9110, section 5.6.2, and therefore never a pseudo-header.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HeaderName(String);

/// A header field value: no control characters but the tab, no white space at either end (RFC 9110, section 5.5).
/// Envoy answers 503 to a request into which a filter wrote anything else.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HeaderValue(Vec<u8>);

/// The text is no header name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidHeaderName;

/// The bytes are no header value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidHeaderValue;

// === impl HeaderName ===

impl HeaderName {
    /// Accepts any letter case and keeps the lower-case form, which is how Envoy holds names.
    pub fn parse(name: &str) -> Result<Self, InvalidHeaderName> {
        if !name.is_empty() && name.bytes().all(is_token_byte) {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(InvalidHeaderName)
        }
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `byte` is a `tchar`: what header names, methods and cookie names are made of (RFC 9110, section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Display for InvalidHeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a header name: letters, digits and !#$%&'*+-.^_`|~ only, and no pseudo-header")
    }
}

impl std::error::Error for InvalidHeaderName {}

// === impl HeaderValue ===

impl HeaderValue {
    /// Takes the bytes as they are; the empty value is allowed.
    pub fn parse(value: impl Into<Vec<u8>>) -> Result<Self, InvalidHeaderValue> {
        let value = value.into();
        if Self::allows(&value) { Ok(Self(value)) } else { Err(InvalidHeaderValue) }
    }

    /// Whether the bytes are a header value.
    pub fn allows(value: &[u8]) -> bool {
        let allowed = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
        let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        value.iter().all(allowed) && !blank(value.first()) && !blank(value.last())
    }

    /// The bytes of the value.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for InvalidHeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a header value: no control characters, no white space at either end")
    }
}

impl std::error::Error for InvalidHeaderValue {}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_become_lower_case() {
        assert_eq!(HeaderName::parse("X-User-Id").unwrap().as_str(), "x-user-id");
    }

    #[test]
    fn names_are_tokens() {
        for name in ["", ":path", "x y", "x:y", "x\r\n", "naïve", "x\0", "(x)"] {
            assert_eq!(HeaderName::parse(name), Err(InvalidHeaderName), "{name:?}");
        }
    }

    #[test]
    fn values_hold_every_byte_that_http_allows() {
        for byte in 0..=u8::MAX {
            let allowed = byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
            assert_eq!(HeaderValue::parse([b'a', byte, b'z']).is_ok(), allowed, "{byte:#x}");
        }
    }

    #[test]
    fn values_have_no_white_space_at_their_ends() {
        for value in [" a", "a ", "\ta", "a\t", " "] {
            assert_eq!(HeaderValue::parse(value), Err(InvalidHeaderValue), "{value:?}");
        }
        assert!(HeaderValue::parse("").is_ok());
    }
}
