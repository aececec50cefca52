//! What OpenTelemetry's SDKs do to a list of baggage on its way through an application, as far as it was measured:
//! `tests/testdata/baggage-vectors.toml` holds the models to the measurements.

use std::collections::BTreeMap;

use baggage::{List, decode, is_token};

/// An SDK.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sdk {
    /// opentelemetry-api for Python: reads and writes a `+` for a space, decodes keys too, takes properties for a part of
    /// the value.
    Python,
    /// The Java agent: one broken member costs the whole list.
    Java,
}

impl Sdk {
    /// What the application sends on; `None` if nothing.
    pub fn forward(self, list: &[u8]) -> Option<Vec<u8>> {
        let mut forwarded: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for member in List(list).members() {
            let (Some(key), Some(value)) = (member.key(), member.raw_value()) else { continue };
            if !is_token(key) || !value.iter().all(|byte| is_octet(*byte)) {
                continue;
            }
            let properties = member.properties().map(<[u8]>::trim_ascii);
            match self {
                Self::Python => {
                    let value =
                        [Some(value), properties].into_iter().flatten().collect::<Vec<_>>().join(b";".as_slice());
                    let key = unquote_plus(key).trim_ascii().to_vec();
                    let value = unquote_plus(&value).trim_ascii().to_vec();
                    forwarded.insert(key, quote(&String::from_utf8_lossy(&value), "_.-~", b"+"));
                }
                Self::Java => {
                    let encode = |text: &[u8]| Some(quote(&String::from_utf8_lossy(&decode(text)?), "-._~:", b"%20"));
                    let mut value = encode(value)?;
                    if let Some(properties) = properties {
                        value.push(b';');
                        value.extend(encode(properties)?);
                    }
                    forwarded.insert(key.to_vec(), value);
                }
            }
        }
        let members: Vec<Vec<u8>> =
            forwarded.iter().map(|(key, value)| [key, value].map(Vec::as_slice).join(&b'=')).collect();
        if members.is_empty() { None } else { Some(members.join(&b',')) }
    }
}

fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// As Python's `urllib.parse.unquote_plus`: what is broken stays.
fn unquote_plus(text: &[u8]) -> Vec<u8> {
    let mut unquoted = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let triple = rest.get(..3).filter(|_| *byte == b'%').and_then(decode);
        rest = if triple.is_some() { rest.get(3..).unwrap_or_default() } else { after };
        unquoted.extend(triple.as_deref().unwrap_or(if *byte == b'+' { b" " } else { std::slice::from_ref(byte) }));
    }
    unquoted
}

fn quote(text: &str, safe: &str, space: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::new();
    for byte in text.bytes() {
        match byte {
            b' ' => quoted.extend_from_slice(space),
            byte if byte.is_ascii_alphanumeric() || safe.as_bytes().contains(&byte) => quoted.push(byte),
            byte => quoted.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    quoted
}
