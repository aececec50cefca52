//! Any baggage that a client can send, on a real Envoy: defined, and never the end of the filter.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use baggage_propagation::Propagator;
use header_edit::{Directed, Direction, HeaderList};
use traffic_lanes_tests::{
    both::{Both, is_let_in, request},
    filter::Filter,
};

const NAMES: [&str; 4] = ["baggage", "version", "x-lane-a", "x-lane-az"];
const DIRECTIONS: [Option<Direction>; 3] = [None, Some(Direction::Inbound), Some(Direction::Outbound)];
const CARRY: &str = r#"{"headers": ["version"], "headerPrefixes": ["x-lane-"]}"#;
const BAGGAGE_WINS: &str = r#"{"headers": ["version"], "onConflict": "baggage", "malformed": "keep"}"#;
const STRIP: &str = r#"{"headers": ["version"], "headerPrefixes": ["x-lane-"], "direction": "strip"}"#;

fn start(configuration: &str) -> Both {
    let propagator = Propagator::parse(configuration.as_bytes()).unwrap();
    let oracle = Box::new(move |request: &Directed<HeaderList>| {
        let mut headers = request.headers.clone();
        headers.apply(propagator.on_request(request).edits);
        headers
    });
    Both::start(&Filter::BaggagePropagation.module().unwrap(), configuration, &NAMES, oracle).unwrap()
}

/// Sends the lines every way, and says with which status they were answered.
fn send(both: &Both, lines: &[(&'static str, Vec<u8>)]) -> u16 {
    let request = request("/", lines.iter().cloned());
    let statuses = DIRECTIONS.map(|direction| both.send(direction, &request).unwrap());
    assert!(statuses.iter().all(|status| *status == statuses[0]), "{statuses:?}");
    statuses[0]
}

fn still_serves(both: &Both) {
    both.still_serves(&request("/", [("version", b"v2".to_vec()), ("baggage", b"a=1,version=v1".to_vec())])).unwrap();
}

#[test]
fn every_byte_in_every_header_that_is_read() {
    for configuration in [CARRY, BAGGAGE_WINS, STRIP] {
        let both = start(configuration);
        for byte in 0..=u8::MAX {
            let value = || vec![b'a', byte, b'z'];
            let with = |before: &str, after: &str| [before.as_bytes(), &value(), after.as_bytes()].concat();
            let list = |before: &str, after: &str| ("baggage", with(before, after));
            let requests = [
                vec![("version", value())],
                vec![("x-lane-a", value())],
                vec![("baggage", value())],
                vec![list("version=", ""), ("x-lane-a", b"1".to_vec())],
                vec![list("version=", ";p=1"), ("version", b"v2".to_vec())],
                vec![list("", "=1,version=v2"), ("version", value())],
                vec![list("x-lane-", "=1,version=v2"), ("version", b"v1".to_vec())],
                vec![list("k=1;", "=1"), ("version", b"v1".to_vec()), list("", "")],
            ];
            for lines in requests {
                let status = send(&both, &lines);
                assert_eq!(status, if is_let_in(byte) { 200 } else { 400 }, "byte {byte:#04x} in {lines:?}");
            }
        }
        still_serves(&both);
    }
}

#[test]
fn every_byte_percent_encoded() {
    let both = start(CARRY);
    for byte in 0..=u8::MAX {
        let list = format!("version=a%{byte:02x}z,x-lane-a=%{byte:02X},%{byte:02x}ersion=v1");
        assert_eq!(send(&both, &[("baggage", list.clone().into_bytes())]), 200, "{list}");
        assert_eq!(send(&both, &[("baggage", list.clone().into_bytes()), ("version", b"v2".to_vec())]), 200, "{list}");
    }
    still_serves(&both);
}

#[test]
fn lists_of_every_size() {
    let both = start(CARRY);
    // Around the limits of what is written, and up to what Envoy lets in.
    for size in [1, 4096, 8180, 8181, 8182, 8183, 8192, 8193, 16 * 1024, 60 * 1024, 90 * 1024] {
        for unit in ["x", "\u{fffd}", ",", "k=v,", "version=v1,", "x-lane-a=1,", "x-lane-%zz=1,", "=", "%", "%4", ";"] {
            let list = unit.as_bytes().iter().copied().cycle().take(size).collect::<Vec<u8>>();
            let long = [b"k=".as_slice(), &list].concat();
            assert_eq!(send(&both, &[("version", b"v2".to_vec()), ("baggage", list)]), 200, "{size} bytes of {unit}");
            assert_eq!(send(&both, &[("version", b"v2".to_vec()), ("baggage", long)]), 200, "{size} bytes of {unit}");
        }
        let value = vec![b'x'; size];
        assert_eq!(send(&both, &[("version", value.clone()), ("baggage", b"a=1".to_vec())]), 200, "{size}");
        assert_eq!(send(&both, &[("baggage", [b"version=".as_slice(), &value].concat())]), 200, "{size}");
    }
    still_serves(&both);
}

#[test]
fn many_lines_and_many_names() {
    let both = start(CARRY);
    let lines = (0..50_u8).map(|line| ("baggage", vec![b'k', b'=', line | 0x80]));
    assert_eq!(send(&both, &lines.collect::<Vec<_>>()), 200);
    let lines = (0..50).map(|line| ("x-lane-a", format!("{line}").into_bytes()));
    assert_eq!(send(&both, &lines.chain([("baggage", b"x-lane-a=1,b=2".to_vec())]).collect::<Vec<_>>()), 200);
    // Few enough for Envoy's limit of 100 lines and the test client's of 64.
    let names: Vec<String> = (0..40).map(|name| format!("x-lane-{name}=1")).collect();
    assert_eq!(send(&both, &[("baggage", names.join(",").into_bytes())]), 200);
    still_serves(&both);
}
