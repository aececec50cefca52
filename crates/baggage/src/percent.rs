//! Percent-encoding (RFC 3986, section 2.1), which values use (specification, section 3.3.1.3).

use std::borrow::Cow;

/// Replaces every `%XX` by its byte, in one pass; a `+` stays a plus. `None` if two hexadecimal digits do not follow a
/// `%`.
pub fn decode(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !value.contains(&b'%') {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'%' => digit(*rest.next()?)? << 4 | digit(*rest.next()?)?,
            byte => *byte,
        });
    }
    Some(Cow::Owned(decoded))
}

/// Encodes every byte but letters, digits, `-`, `.`, `_` and `~`.
///
/// The specification lets more stand as it is, but these are the characters about which nobody disagrees: some SDKs read a
/// `+` as a space, and most encode the rest themselves. A space becomes `%20`, a plus `%2B`.
pub fn encode(value: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
    let mut encoded = Vec::with_capacity(value.len());
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            encoded.push(*byte);
        } else {
            encoded.extend([b'%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    encoded
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_byte_comes_back() {
        for byte in 0..=u8::MAX {
            let encoded = encode(&[byte]);
            assert!(encoded == [byte] || encoded == format!("%{byte:02X}").as_bytes(), "{byte:#x}");
            assert_eq!(decode(&encoded).as_deref(), Some([byte].as_slice()), "{byte:#x}");
            assert_eq!(decode(format!("%{byte:02x}").as_bytes()).as_deref(), Some([byte].as_slice()), "{byte:#x}");
        }
    }

    #[test]
    fn decoding_happens_once() {
        assert_eq!(decode(b"%2541+").as_deref(), Some(b"%41+".as_slice()));
    }

    #[test]
    fn a_percent_sign_needs_two_digits() {
        for broken in ["%", "a%", "%4", "%4g", "%g4", "%%41", "% 41", "%+1", "%-1"] {
            assert_eq!(decode(broken.as_bytes()), None, "{broken}");
        }
    }
}
