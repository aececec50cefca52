//! Anything that a client can send, on a real Envoy: defined, and never the end of the filter.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hash_tagging::Tagger;
use header_edit::HeaderList;
use traffic_lanes_tests::{
    http1, module,
    wasm_listeners::{Setup, WasmListeners},
};

const CONFIGURATION: &str = r#"{"rules": [{
    "identity": [{"header": "x-user-id"}, {"cookie": "uid"}, {"query": "uid"}],
    "modulo": 4294967295, "tagHeader": "x-asm-prefer-tag", "decisionHeader": "x-lane-decision",
    "policies": [{"range": 858993459, "tagValue": "s2"}, {"range": 4294967295, "tagValue": "s1"}]
}]}"#;

/// A real Envoy, and the same configuration outside of it.
struct Both {
    envoy: WasmListeners,
    tagger: Tagger,
}

impl Both {
    fn start() -> Self {
        let module = module("hash_tagging.wasm").unwrap();
        let setup = Setup { name: "lanes".to_owned(), configuration: CONFIGURATION, direction: None };
        let envoy = WasmListeners::start(&module, [setup]).unwrap();
        Self { envoy, tagger: Tagger::parse(CONFIGURATION.as_bytes()).unwrap() }
    }

    /// Sends the request. If Envoy lets it in, the decision must be the one that the pure crate makes.
    fn send(&self, request: &HeaderList) -> u16 {
        let response = http1::send(self.envoy.address("lanes").unwrap(), request).unwrap();
        if response.status == 200 {
            let arrived = http1::decode(&response.body).unwrap();
            let mut expected: HeaderList = request.lines().map(|(name, value)| (name, as_envoy_reads(value))).collect();
            let edits = self.tagger.on_request(&expected.clone()).edits;
            expected.apply(edits);
            for name in ["x-asm-prefer-tag", "x-lane-decision"] {
                let (arrived, expected): (Vec<_>, Vec<_>) = (arrived.all(name).collect(), expected.all(name).collect());
                assert_eq!(arrived, expected, "{name}");
            }
        }
        response.status
    }

    /// Every worker is asked often enough to notice one whose filter is dead.
    fn still_serves(&self) {
        for _ in 0..20 {
            assert_eq!(self.send(&request("/", [("x-user-id", b"jessie".to_vec())])), 200);
        }
        assert!(!self.envoy.envoy.log().contains("Function: proxy_on"), "{}", self.envoy.envoy.log());
    }
}

/// Envoy's HTTP/1 parser drops a CR that stands alone.
fn as_envoy_reads(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| *byte != b'\r').collect()
}

fn request(path: &str, lines: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> HeaderList {
    let mut request: HeaderList =
        [(":authority", "test.example"), (":method", "GET"), (":path", path)].into_iter().collect();
    lines.into_iter().for_each(|(name, value)| request.push(name, value));
    request
}

#[test]
fn every_byte_in_every_header_that_is_read() {
    let both = Both::start();
    for byte in 0..=u8::MAX {
        let value = [b'a', byte, b'z'].to_vec();
        let cookie = [b"uid=".as_slice(), &value].concat();
        // What Envoy's HTTP/1 parser lets in: RFC 9110, section 5.5, and a lone CR.
        let allowed = matches!(byte, b'\t' | b'\r') || (byte >= 0x20 && byte != 0x7f);
        let lines = [("x-user-id", value.clone()), ("cookie", cookie), ("x-asm-prefer-tag", value.clone())];
        for (name, value) in lines.into_iter().chain([("x-lane-decision", value)]) {
            let status = both.send(&request("/", [(name, value)]));
            assert_eq!(status, if allowed { 200 } else { 400 }, "byte {byte:#04x} in {name}");
        }
    }
    both.still_serves();
}

#[test]
fn every_byte_in_the_query() {
    let both = Both::start();
    for byte in 0x21..=0x7e_u8 {
        let path = format!("/?uid=a{}z&uid=%{byte:02x}%FF%zz%", char::from(byte));
        // A fragment is never sent to a server, so Envoy refuses one.
        assert_eq!(both.send(&request(&path, [])), if byte == b'#' { 400 } else { 200 }, "{path}");
    }
    both.still_serves();
}

#[test]
fn identities_of_every_size() {
    let both = Both::start();
    for size in [1, 2, 3, 255, 256, 4095, 4096, 16 * 1024, 64 * 1024, 90 * 1024] {
        assert_eq!(both.send(&request("/", [("x-user-id", vec![b'x'; size])])), 200, "{size} bytes");
        assert_eq!(both.send(&request("/", [("x-user-id", vec![0xff; size])])), 200, "{size} bytes that are not UTF-8");
    }
    assert_eq!(both.send(&request("/", [("x-user-id", vec![b'x'; 100 * 1024])])), 431, "above Envoy's limit");
    both.still_serves();
}

#[test]
fn many_lines_of_the_identity() {
    let both = Both::start();
    let lines = |first: &'static [u8]| {
        let others = (0..40).map(|line: u8| ("x-user-id", vec![b'u', line | 0x80]));
        request("/", [("x-user-id", first.to_vec())].into_iter().chain(others))
    };
    assert_eq!(both.send(&lines(b"jessie")), 200);
    assert_eq!(both.send(&lines(b"")), 200);
    both.still_serves();
}
