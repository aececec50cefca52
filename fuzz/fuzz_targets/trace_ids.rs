//! The part of a trace header that is the same at every hop: two requests belong together if, and only if, a regular
//! expression finds the same id in both.
#![no_main]

use std::sync::LazyLock;

use header_edit::{Directed, Direction, HeaderList};
use libfuzzer_sys::fuzz_target;
use regex::bytes::Regex;
use trace_propagation::{Counter, MemoryStore, Propagator};

const MAX_ID: usize = 256;

struct Format {
    propagator: Propagator,
    id: Regex,
    /// Whether the id is a hexadecimal number, whatever its zeros in front and its letter case.
    is_number: bool,
}

static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(|| {
    let b3 = "([0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})";
    [
        ("traceparent", r"^(?:00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}|[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$", false),
        ("b3", &format!("^{b3}-.*$"), true),
        ("x-b3-traceid", &format!("^{b3}$"), true),
        ("uber-trace-id", r"^([0-9A-Fa-f]{1,32})(?:%3[aA][^:]*|:.*)$", true),
        ("sw8", r"^[^-]*-([^-]+)(?:-.*)?$", false),
        ("x-cloud-trace-context", r"^([^/;]+)(?:[/;].*)?$", false),
        ("x-user-id", r"^(.+)$", false),
    ]
    .map(|(header, id, is_number)| {
        let json = format!(r#"{{"traceHeader": "{header}", "routeHeaders": ["lane"]}}"#);
        let propagator = Propagator::parse(json.as_bytes(), |_| None).unwrap();
        let id = Regex::new(&format!("(?s-u){id}")).unwrap();
        Format { propagator, id, is_number }
    })
    .into()
});

const HEADERS: [&str; 7] =
    ["traceparent", "b3", "x-b3-traceid", "uber-trace-id", "sw8", "x-cloud-trace-context", "x-user-id"];

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (index, came, goes) = input;
    let index = usize::from(index) % HEADERS.len();
    let (format, name) = (&FORMATS[index], HEADERS[index]);
    let store = MemoryStore::default();
    let headers = [(name, came), ("lane", b"s2")].into_iter().collect();
    let inbound =
        format.propagator.on_request(&Directed::<HeaderList> { headers, direction: Some(Direction::Inbound) }, &store);
    let headers = [(name, goes)].into_iter().collect();
    let outbound =
        format.propagator.on_request(&Directed::<HeaderList> { headers, direction: Some(Direction::Outbound) }, &store);

    let (first, second) = (format.find(name, came), format.find(name, goes));
    let expected = match &first {
        None => Counter::InsertNoId,
        Some(id) if id.len() > MAX_ID => Counter::InsertUnusable,
        Some(_) => Counter::InsertNew,
    };
    assert_eq!(inbound.counters, [expected]);
    let is_known = first == second && expected == Counter::InsertNew;
    assert_eq!(outbound.edits.len(), usize::from(is_known));
});

impl Format {
    fn find(&self, name: &str, value: &[u8]) -> Option<Vec<u8>> {
        let found = self.id.captures(value)?;
        let id = found.iter().skip(1).flatten().next()?.as_bytes();
        if name == "traceparent" {
            let fields: Vec<&[u8]> = value.split(|byte| *byte == b'-').collect();
            let is_zero = |field: &[u8]| field.iter().all(|byte| *byte == b'0');
            return Some(id.to_vec()).filter(|_| fields[0] != b"ff" && !is_zero(fields[1]) && !is_zero(fields[2]));
        }
        if !self.is_number {
            return Some(id.to_vec());
        }
        let number = u128::from_str_radix(std::str::from_utf8(id).ok()?, 16).ok()?;
        (number != 0).then(|| format!("{number:032x}").into_bytes())
    }
}
