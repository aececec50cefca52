//! Anything that a client can send, through trace propagation on a real Envoy: defined, and never the end of the filter.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use hash_tagging::Hash;
use header_edit::{Directed, Direction, HeaderList};
use trace_propagation::{MemoryStore, Propagator};
use traffic_lanes_tests::{
    both::{self, as_envoy_reads, is_let_in},
    http1, module,
    trace_listeners::{Behind, Sidecar},
    wasm_listeners::{string_value, wasm},
};

/// Every format of an id, each with a value that has one. A byte is put into the middle of it.
const FORMATS: [(&str, &str, &str); 9] = [
    ("x-user-id", "a", "z"),
    ("x-request-id", "125a4afb-6f55-4", "ba-ad80-413f09f48a2"),
    ("traceparent", "00-4bf92f3577b34da", "a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("b3", "80f198ee56343ba", "64fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
    ("x-b3-traceid", "80f198ee56343ba", "64fe8b2a57d3eff7"),
    ("uber-trace-id", "3a1f6c7d", "e2b4f58%3A9e2b4f58%3A0%3A1"),
    ("sw8", "1-NzY0", "mYxLjE1LjE2=-c2VnbWVudA==-0-bW9ja2E=-djE=-L21vY2s=-bW9ja2I6ODAwMA=="),
    ("x-cloud-trace-context", "105445aa784", "bc8bf206b12000100000/1;o=1"),
    ("x-datadog-trace-id", "52085121", "1318403364"),
];

/// A real Envoy, and the same configurations outside of it.
struct Both {
    sidecar: Sidecar,
    outside: BTreeMap<&'static str, (Propagator, MemoryStore)>,
}

impl Both {
    fn start() -> Self {
        let module = module("trace_propagation.wasm").unwrap();
        let config =
            |header| format!(r#"{{"traceHeader": "{header}", "routeHeaders": ["x-asm-prefer-tag", "x-env"]}}"#);
        let filters = FORMATS.map(|(header, ..)| (header, wasm(&module, header, &string_value(&config(header)))));
        let outside = FORMATS.map(|(header, ..)| {
            (header, (Propagator::parse(config(header).as_bytes(), |_| None).unwrap(), MemoryStore::default()))
        });
        Self { sidecar: Sidecar::start(2, Behind::Echo, filters).unwrap(), outside: outside.into() }
    }

    /// Sends the request. If Envoy lets it in, what arrives must be what the pure crate makes of it.
    fn send(&self, header: &str, direction: Direction, request: &HeaderList) -> u16 {
        let response = http1::send(self.sidecar.address(header, Some(direction)).unwrap(), request).unwrap();
        if response.status == 200 {
            let arrived = http1::decode(&response.body).unwrap();
            let headers = request.lines().map(|(name, value)| (name, as_envoy_reads(value))).collect();
            let mut expected = Directed::<HeaderList> { headers, direction: Some(direction) };
            let (propagator, store) = &self.outside[header];
            let edits = propagator.on_request(&expected, store).edits;
            expected.headers.apply(edits);
            for name in [header, "x-asm-prefer-tag", "x-env"] {
                let (arrived, expected): (Vec<_>, Vec<_>) =
                    (arrived.all(name).collect(), expected.headers.all(name).collect());
                // Envoy makes a request id where there is none, or an empty one.
                if name != "x-request-id" || expected.concat() != b"" {
                    assert_eq!(arrived, expected, "{name} by {header}");
                }
            }
        }
        response.status
    }

    /// In with these tags, and out without.
    fn in_and_out(&self, header: &'static str, id: &[u8], tags: &[(&'static str, Vec<u8>)]) -> (u16, u16) {
        let inbound = self.send(header, Direction::Inbound, &request(&[&[(header, id.to_vec())], tags].concat()));
        (inbound, self.send(header, Direction::Outbound, &request(&[(header, id.to_vec())])))
    }

    /// Every worker is asked often enough to notice one whose filter is dead.
    fn still_serves(&self) {
        for number in 0..20 {
            let (id, tag) = (format!("afterwards-{number}"), ("x-env", b"s2".to_vec()));
            assert_eq!(self.in_and_out("x-user-id", id.as_bytes(), &[tag]), (200, 200));
        }
        assert!(!self.sidecar.envoy().log().contains("Function: proxy_on"), "{}", self.sidecar.envoy().log());
    }
}

fn status(byte: u8) -> u16 {
    if is_let_in(byte) { 200 } else { 400 }
}

fn request(lines: &[(&'static str, Vec<u8>)]) -> HeaderList {
    both::request("/", lines.iter().cloned())
}

#[test]
fn every_byte_in_every_format_of_an_id() {
    let both = Both::start();
    for (header, before, after) in FORMATS {
        for byte in 0..=u8::MAX {
            let id = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let tag = ("x-asm-prefer-tag", format!("s{byte}").into_bytes());
            let expected = (status(byte), status(byte));
            assert_eq!(both.in_and_out(header, &id, &[tag]), expected, "byte {byte:#04x} in {header}");
        }
    }
    both.still_serves();
}

#[test]
fn every_byte_in_every_route_header() {
    let both = Both::start();
    for byte in 0..=u8::MAX {
        let value = [b'a', byte, b'z'].to_vec();
        for name in ["x-asm-prefer-tag", "x-env"] {
            let id = format!("{name}-{byte}").into_bytes();
            let answered = both.in_and_out("x-user-id", &id, &[(name, value.clone())]);
            assert_eq!(answered, (status(byte), 200), "byte {byte:#04x} in {name}");
            // And on the way out, where it wins.
            let outbound = request(&[("x-user-id", id), (name, value.clone())]);
            assert_eq!(both.send("x-user-id", Direction::Outbound, &outbound), status(byte));
        }
    }
    both.still_serves();
}

#[test]
fn ids_and_tags_of_every_size() {
    let both = Both::start();
    for size in [0, 1, 35, 36, 37, 255, 256, 257, 4096, 64 * 1024, 90 * 1024] {
        for (header, ..) in FORMATS {
            for byte in [b'0', b'a', b'-', b':', 0xff] {
                let id = vec![byte; size];
                let answered = both.in_and_out(header, &id, &[("x-env", b"s2".to_vec())]);
                assert_eq!(answered, (200, 200), "{size} bytes in {header}");
            }
        }
        let id = format!("tag-{size}").into_bytes();
        let tags = [("x-asm-prefer-tag", vec![b'x'; size / 2]), ("x-env", vec![0xff; size - size / 2])];
        assert_eq!(both.in_and_out("x-user-id", &id, &tags), (200, 200), "{size} bytes of tags");
    }
    both.still_serves();
}

#[test]
fn many_lines_of_the_id_and_of_the_tag() {
    let both = Both::start();
    let lines = |name: &'static str| (0..25).map(move |line: u8| (name, vec![b'v', line | 0x80]));
    let inbound: Vec<_> = lines("x-user-id").chain(lines("x-env")).collect();
    assert_eq!(both.send("x-user-id", Direction::Inbound, &request(&inbound)), 200);
    let outbound: Vec<_> = lines("x-user-id").collect();
    assert_eq!(both.send("x-user-id", Direction::Outbound, &request(&outbound)), 200);
    both.still_serves();
}

/// Eight ids that a published hash puts into one set with the victim's, of which a set has room for three.
#[test]
fn ids_that_share_a_set_by_a_known_hash_push_nobody_out() {
    const SETS: u32 = 16384 / 4;
    let set = |id: &str| Hash::Murmur3 { salt: Vec::new() }.of(id.as_bytes()) % u64::from(SETS);
    let attackers: Vec<String> =
        (0..).map(|number| format!("attacker-{number}")).filter(|id| set(id) == set("victim")).take(8).collect();
    let both = Both::start();
    let inbound = |id: &str, tag: &str| {
        let lines = [("x-user-id", id.as_bytes().to_vec()), ("x-env", tag.as_bytes().to_vec())];
        assert_eq!(both.send("x-user-id", Direction::Inbound, &request(&lines)), 200);
    };
    inbound("victim", "canary");
    for id in &attackers {
        inbound(id, "stable");
    }
    let outbound = request(&[("x-user-id", b"victim".to_vec())]);
    let arrived = both.sidecar.arrived("x-user-id", Some(Direction::Outbound), &outbound).unwrap();
    assert_eq!(arrived.all("x-env").collect::<Vec<_>>(), [b"canary"]);
}

/// Which of more ids than a table has room for are known in the end.
fn survivors() -> Vec<String> {
    let config = r#"{"traceHeader": "x-user-id", "routeHeaders": ["x-env"], "slots": 64}"#;
    let filter = wasm(&module("trace_propagation.wasm").unwrap(), "lanes", &string_value(config));
    let sidecar = Sidecar::start(2, Behind::Echo, [("lanes", filter)]).unwrap();
    let ids: Vec<String> = (0..200).map(|number| format!("user-{number}")).collect();
    for id in &ids {
        let lines = [("x-user-id", id.as_bytes().to_vec()), ("x-env", b"canary".to_vec())];
        sidecar.arrived("lanes", Some(Direction::Inbound), &request(&lines)).unwrap();
    }
    let is_known = |id: &String| {
        let outbound = request(&[("x-user-id", id.as_bytes().to_vec())]);
        sidecar.arrived("lanes", Some(Direction::Outbound), &outbound).unwrap().all("x-env").next().is_some()
    };
    ids.into_iter().filter(is_known).collect()
}

#[test]
fn what_is_learnt_of_one_process_says_nothing_about_another() {
    let (one, other) = (survivors(), survivors());
    assert!(one.len() > 32 && other.len() > 32, "{} and {} of 64 slots", one.len(), other.len());
    assert_ne!(one, other);
}
