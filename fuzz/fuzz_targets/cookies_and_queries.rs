//! The identity in a cookie or in a parameter of the query, seen by the bucket that it falls into.
#![no_main]

use std::sync::LazyLock;

use hash_tagging::{Reason, Tagger, fnv1a32};
use header_edit::HeaderList;
use libfuzzer_sys::fuzz_target;

static TAGGER: LazyLock<Tagger> = LazyLock::new(|| {
    let rule = |source: &str| {
        let policies = r#"[{"range": 4294967295, "tagValue": "s1"}]"#;
        format!(
            r#"{{"identity": [{{"{source}": "uid"}}], "modulo": 4294967295, "tagHeader": "x-{source}", "policies": {policies}}}"#
        )
    };
    Tagger::parse(format!(r#"{{"rules": [{}, {}]}}"#, rule("cookie"), rule("query")).as_bytes()).unwrap()
});

fuzz_target!(|input: (&[u8], &[u8])| {
    let (cookie, path) = input;
    let headers: HeaderList = [("cookie", cookie), (":path", path)].into_iter().collect();
    let said = TAGGER.on_request(&headers);
    let expected = [cookie_value(cookie), query_value(path)];
    for (decision, expected) in said.decisions.iter().zip(expected) {
        let expected = expected.filter(|identity| !identity.is_empty());
        assert_eq!(decision.reason == Reason::Missing, expected.is_none());
        assert_eq!(decision.bucket, expected.map(|identity| fnv1a32(&identity) % u32::MAX));
    }
    assert_eq!(said.decisions.len(), 2);
});

/// As Envoy's cookie hash policy reads it, of several the first.
fn cookie_value(line: &[u8]) -> Option<Vec<u8>> {
    for pair in line.split(|byte| *byte == b';') {
        let pair = pair.trim_ascii();
        if let Some(value) = pair.strip_prefix(b"uid=") {
            let is_quoted = value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\"");
            return Some(if is_quoted { value[1..value.len() - 1].to_vec() } else { value.to_vec() });
        }
    }
    None
}

/// As browsers write forms; bytes that are no UTF-8 stay what they are.
fn query_value(path: &[u8]) -> Option<Vec<u8>> {
    let before_fragment = path.split(|byte| *byte == b'#').next()?;
    let query = before_fragment.splitn(2, |byte| *byte == b'?').nth(1)?;
    for pair in query.split(|byte| *byte == b'&') {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (decoded(halves.next()?), halves.next().map(decoded));
        if let Some(value) = value.filter(|value| name == b"uid" && !value.is_empty()) {
            return Some(value);
        }
    }
    None
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let pair = pair.filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (byte, pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                decoded.push(b' ');
                rest = tail;
            }
            _ => {
                decoded.push(*byte);
                rest = tail;
            }
        }
    }
    decoded
}
