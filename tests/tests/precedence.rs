//! When sources of a tag disagree, in a real Envoy with both filters of a sidecar: route header, then baggage, then the
//! trace table, then the pod's label, then nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use header_edit::HeaderList;
use local_mesh::{Envoy, EnvoyConfig};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    echo::Echo,
    http1, module, repository,
    wasm_listeners::{bootstrap, listener, string_value, wasm},
};

const ROUTE_HEADER: &str = "x-asm-prefer-tag";

/// The sources of a tag, from the one that wins over all others to the one that wins over none. Each says its own name.
const SOURCES: [&str; 4] = ["header", "baggage", "trace", "label"];

fn filter(module_name: &str, configuration: &Value) -> Value {
    wasm(&module(module_name).unwrap(), module_name, &string_value(&configuration.to_string()))
}

fn directed(name: &str, direction: &str, filters: &[Value]) -> Value {
    let mut listener = listener(name, filters.last().unwrap());
    listener.as_object_mut().unwrap().insert("traffic_direction".to_owned(), direction.into());
    let chain = listener.pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters").unwrap();
    let chain = chain.as_array_mut().unwrap();
    filters.iter().rev().skip(1).for_each(|filter| chain.insert(0, filter.clone()));
    listener
}

fn sidecar(echo: &Echo) -> Envoy {
    let baggage = filter("baggage_propagation.wasm", &json!({"members": [{"key": "lane", "header": ROUTE_HEADER}]}));
    let trace = |label: Option<&str>| {
        let config = json!({"traceHeader": "x-request-id", "routeHeaders": [ROUTE_HEADER], "labelTag": label});
        filter("trace_propagation.wasm", &config)
    };
    let listeners = [
        directed("inbound", "INBOUND", &[trace(None)]),
        directed("outbound", "OUTBOUND", &[baggage.clone(), trace(None)]),
        directed("outbound-labelled", "OUTBOUND", &[baggage, trace(Some("TAG"))]),
    ];
    let mut config = bootstrap(&listeners, echo);
    let node = json!({"id": "sidecar", "cluster": "sidecar", "metadata": {"LABELS": {"TAG": "label"}}});
    config.as_object_mut().unwrap().insert("node".to_owned(), node);
    let binary = Envoy::binary(repository()).unwrap();
    Envoy::builder(binary, EnvoyConfig::Text(config.to_string())).concurrency(2).start().unwrap()
}

/// What arrives as the route header of a request with these lines.
fn tag(address: SocketAddr, lines: &[(&str, &str)]) -> Vec<String> {
    let pseudo = [(":authority", "a"), (":method", "GET"), (":path", "/")];
    let request: HeaderList = pseudo.iter().chain(lines).copied().collect();
    let response = http1::send(address, &request).unwrap();
    assert_eq!(response.status, 200);
    let arrived = http1::decode(&response.body).unwrap();
    arrived.all(ROUTE_HEADER).map(|tag| String::from_utf8(tag.to_vec()).unwrap()).collect()
}

#[test]
fn every_combination_of_sources_gives_the_first_that_is_there() {
    let echo = Echo::start().unwrap();
    let envoy = sidecar(&echo);
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
