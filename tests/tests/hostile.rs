//! Anything that a client can send, on a real Envoy: defined, and never the end of the filter.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use hash_tagging::Tagger;
use header_edit::{Directed, HeaderList};
use local_mesh::wait_until;
use traffic_lanes_tests::{
    both::{Both, is_let_in, request},
    filter::Filter,
    http1,
};

const CONFIGURATION: &str = r#"{"rules": [{
    "identity": [{"header": "x-user-id"}, {"cookie": "uid"}, {"query": "uid"}],
    "modulo": 4294967295, "tagHeader": "x-asm-prefer-tag", "decisionHeader": "x-lane-decision",
    "policies": [{"range": 858993459, "tagValue": "s2"}, {"range": 4294967295, "tagValue": "s1"}]
}]}"#;

fn start() -> Both {
    let tagger = Tagger::parse(CONFIGURATION.as_bytes()).unwrap();
    let oracle = Box::new(move |request: &Directed<HeaderList>| {
        let mut headers = request.headers.clone();
        headers.apply(tagger.on_request(request).edits);
        headers
    });
    let module = Filter::HashTagging.module().unwrap();
    Both::start(&module, CONFIGURATION, &["x-asm-prefer-tag", "x-lane-decision"], oracle).unwrap()
}

fn send(both: &Both, request: &HeaderList) -> u16 {
    both.send(None, request).unwrap()
}

fn still_serves(both: &Both) {
    both.still_serves(&request("/", [("x-user-id", b"jessie".to_vec())])).unwrap();
}

#[test]
fn every_byte_in_every_header_that_is_read() {
    let both = start();
    for byte in 0..=u8::MAX {
        let value = [b'a', byte, b'z'].to_vec();
        let cookie = [b"uid=".as_slice(), &value].concat();
        let lines = [("x-user-id", value.clone()), ("cookie", cookie), ("x-asm-prefer-tag", value.clone())];
        for (name, value) in lines.into_iter().chain([("x-lane-decision", value)]) {
            let status = send(&both, &request("/", [(name, value)]));
            assert_eq!(status, if is_let_in(byte) { 200 } else { 400 }, "byte {byte:#04x} in {name}");
        }
    }
    still_serves(&both);
}

/// What is no name of a header, Envoy refuses before the filter sees the request.
#[test]
fn every_byte_in_the_name_of_a_header() {
    let both = start();
    let address = both.envoy.address("unspecified").unwrap();
    // RFC 9110, section 5.6.2, and the colon, which ends the name.
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte);
    let (taken, refused): (Vec<u8>, Vec<u8>) = (0..=u8::MAX).partition(|byte| is_of_a_name(*byte));
    for (bytes, expected) in [(&refused, 400), (&taken, 200)] {
        for byte in bytes {
            for (before, after) in [("x-a", "z"), ("x-az", "")] {
                let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx-user-id: jessie\r\nconnection: close\r\n{before}");
                let head = [head.as_bytes(), &[*byte], after.as_bytes(), b": 1\r\n\r\n"].concat();
                let status = http1::send_head(address, &head).unwrap().status;
                assert_eq!(status, expected, "byte {byte:#04x} after {before}");
            }
        }
    }
    let seen = wait_until("the filter counts what it has seen", Duration::from_secs(30), || {
        let stats = both.envoy.envoy.admin_get("/stats?filter=hash_tagging_decisions")?;
        let seen: usize = stats.lines().filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum();
        Ok(Some(seen).filter(|seen| *seen >= 2 * taken.len()))
    });
    assert_eq!(seen.unwrap(), 2 * taken.len());
    still_serves(&both);
}

#[test]
fn every_byte_in_the_query() {
    let both = start();
    for byte in 0x21..=0x7e_u8 {
        let path = format!("/?uid=a{}z&uid=%{byte:02x}%FF%zz%", char::from(byte));
        // A fragment is never sent to a server, so Envoy refuses one.
        assert_eq!(send(&both, &request(&path, [])), if byte == b'#' { 400 } else { 200 }, "{path}");
    }
    still_serves(&both);
}

#[test]
fn identities_of_every_size() {
    let both = start();
    for size in [1, 2, 3, 255, 256, 4095, 4096, 16 * 1024, 64 * 1024, 90 * 1024] {
        assert_eq!(send(&both, &request("/", [("x-user-id", vec![b'x'; size])])), 200, "{size} bytes");
        assert_eq!(
            send(&both, &request("/", [("x-user-id", vec![0xff; size])])),
            200,
            "{size} bytes that are not UTF-8"
        );
    }
    assert_eq!(send(&both, &request("/", [("x-user-id", vec![b'x'; 100 * 1024])])), 431, "above Envoy's limit");
    still_serves(&both);
}

#[test]
fn many_lines_of_the_identity() {
    let both = start();
    let lines = |first: &'static [u8]| {
        let others = (0..40).map(|line: u8| ("x-user-id", vec![b'u', line | 0x80]));
        request("/", [("x-user-id", first.to_vec())].into_iter().chain(others))
    };
    assert_eq!(send(&both, &lines(b"jessie")), 200);
    assert_eq!(send(&both, &lines(b"")), 200);
    still_serves(&both);
}
