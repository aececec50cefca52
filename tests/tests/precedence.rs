//! When sources of a tag disagree, in a real Envoy with both filters of a sidecar: route header, then baggage, then the
//! trace table, then the pod's label, then nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use header_edit::Direction;
use local_mesh::Envoy;
use serde_json::{Value, json};
use traffic_lanes_tests::{
    http1, module,
    wasm_listeners::{bootstrap, listener, run, string_value, wasm},
};

const ROUTE_HEADER: &str = "x-asm-prefer-tag";

/// The sources of a tag, from the one that wins over all others to the one that wins over none. Each says its own name.
const SOURCES: [&str; 4] = ["header", "baggage", "trace", "label"];

fn filter(module_name: &str, configuration: &Value) -> Value {
    wasm(&module(module_name).unwrap(), module_name, &string_value(&configuration.to_string()))
}

fn sidecar() -> Envoy {
    let baggage = filter("baggage_propagation.wasm", &json!({"members": [{"key": "lane", "header": ROUTE_HEADER}]}));
    let trace = |label: Option<&str>| {
        let config = json!({"traceHeader": "x-request-id", "routeHeaders": [ROUTE_HEADER], "labelTag": label});
        filter("trace_propagation.wasm", &config)
    };
    let listeners = [
        listener("inbound", Some(Direction::Inbound), &[trace(None)]),
        listener("outbound", Some(Direction::Outbound), &[baggage.clone(), trace(None)]),
        listener("outbound-labelled", Some(Direction::Outbound), &[baggage, trace(Some("TAG"))]),
    ];
    let mut config = bootstrap(&listeners).unwrap();
    let labels = config.pointer_mut("/node/metadata/LABELS").unwrap();
    *labels = json!({"TAG": "label"});
    run(&config).unwrap()
}

/// What arrives as the route header of a request with these lines.
fn tag(address: SocketAddr, lines: &[(&str, &str)]) -> Vec<String> {
    let arrived = http1::arrived(address, &http1::get(lines)).unwrap();
    arrived.all(ROUTE_HEADER).map(|tag| String::from_utf8(tag.to_vec()).unwrap()).collect()
}

#[test]
fn every_combination_of_sources_gives_the_first_that_is_there() {
    let envoy = sidecar();
    let address = |name| envoy.listener_address(name).unwrap();
    // Inbound, only the trace table learns the id's tag.
    let known = "5d9f2a1c-0000-4000-9000-000000000001";
    tag(address("inbound"), &[("x-request-id", known), (ROUTE_HEADER, "trace")]);

    for combination in 0..1_u32 << SOURCES.len() {
        let given: Vec<&str> = SOURCES
            .iter()
            .enumerate()
            .filter(|(bit, _)| combination >> bit & 1 == 1)
            .map(|(_, source)| *source)
            .collect();
        let id = if given.contains(&"trace") { known } else { "5d9f2a1c-0000-4000-9000-000000000002" };
        let mut lines = vec![("x-request-id", id)];
        if given.contains(&"header") {
            lines.push((ROUTE_HEADER, "header"));
        }
        if given.contains(&"baggage") {
            lines.push(("baggage", "user=alice,lane=baggage"));
        }
        let outbound = if given.contains(&"label") { "outbound-labelled" } else { "outbound" };
        let expected: Vec<&str> = given.first().copied().into_iter().collect();
        assert_eq!(tag(address(outbound), &lines), expected, "{given:?}");
    }
}
