//! What Envoy Gateway makes of a rendering (1.9.0: internal/xds/translator), in a real Envoy: a filter that routes enable, and a cluster
//! of two Backends.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use local_mesh::{Envoy, wait_until};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    http1, module,
    wasm_listeners::{bootstrap, listener, run, string_value, wasm},
};

const FILTER: &str = "lanes";
/// Bounds the wait for a pod that is left out.
const LIMIT: Duration = Duration::from_secs(30);
/// Those of bucket 16 and 44, of which a fifth is in the lane.
const IN_LANE: &str = "jessie";
const IN_BASELINE: &str = "bob";

/// A listener with routes of its own.
fn with_routes(name: &str, filters: &[Value], routes: &Value) -> Value {
    let mut listener = listener(name, None, filters);
    listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]["routes"] =
        routes.clone();
    listener
}

/// The filter as Envoy Gateway has it in a listener (`buildHCMWasmFilter`).
fn disabled_filter() -> Value {
    let policies = json!([{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]);
    let rule = json!({"header": "x-user-id", "modulo": 100, "tagHeader": "lane", "policies": policies});
    let config = json!({"clients": "mayNot", "rules": [rule]}).to_string();
    let mut filter = wasm(&module("hash_tagging.wasm").unwrap(), FILTER, &string_value(&config));
    filter["disabled"] = json!(true);
    filter
}

/// A route that answers with its name, and enables the filter (`enableFilterOnRoute`).
fn route(conditions: &Value, status: u16, answer: &str) -> Value {
    let mut r#match = json!({"prefix": "/"});
    r#match["headers"] = conditions.clone();
    json!({
        "match": r#match,
        "direct_response": {"status": status, "body": {"inline_string": answer}},
        "typed_per_filter_config": {FILTER: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}},
    })
}

fn of_lane(lane: &str) -> Value {
    route(&json!([{"name": "lane", "string_match": {"exact": lane}}]), 200, lane)
}

fn answer(envoy: &Envoy, listener: &str, lines: &[(&str, &str)]) -> (u16, String) {
    let response = http1::send(envoy.listener_address(listener).unwrap(), &http1::get(lines)).unwrap();
    (response.status, String::from_utf8(response.body).unwrap())
}

#[test]
fn the_route_before_the_tag_runs_the_filter_and_the_one_after_it_answers() {
    let (any, not_found) = (json!([]), route(&json!([]), 404, "not found"));
    let listeners = [
        with_routes("permissive", &[disabled_filter()], &json!([of_lane("s2"), route(&any, 200, "s1")])),
        with_routes("strict", &[disabled_filter()], &json!([of_lane("s1"), of_lane("s2"), not_found])),
        with_routes("without a rest", &[disabled_filter()], &json!([of_lane("s1"), of_lane("s2")])),
    ];
    let envoy = run(&bootstrap(&listeners).unwrap()).unwrap();
    for (user, lane) in [(IN_LANE, "s2"), (IN_BASELINE, "s1")] {
        for listener in ["permissive", "strict"] {
            assert_eq!(answer(&envoy, listener, &[("x-user-id", user)]), (200, lane.to_owned()), "{listener}, {user}");
            // What a client says does not count.
            let forged = [("x-user-id", user), ("lane", "s2")];
            assert_eq!(answer(&envoy, listener, &forged), (200, lane.to_owned()), "{listener}, {user}");
        }
        // Why a route for the rest is rendered: nobody is tagged.
        assert_eq!(answer(&envoy, "without a rest", &[("x-user-id", user)]).0, 404);
    }
    assert_eq!(answer(&envoy, "permissive", &[("lane", "s2")]), (200, "s1".to_owned()));
    assert_eq!(answer(&envoy, "strict", &[("lane", "s2")]), (404, "not found".to_owned()));
}

/// A lane's Backend and its fallback, of which Envoy Gateway makes one cluster (`buildXdsCluster`): of names that DNS is asked for.
fn cluster(name: &str, lane: (&str, u16), baseline: SocketAddr) -> Value {
    let endpoints = |priority: u32, (host, port): (&str, u16)| {
        let address = json!({"socket_address": {"address": host, "port_value": port}});
        json!({"priority": priority, "lb_endpoints": [{"endpoint": {"address": address}}], "load_balancing_weight": 1,
            "locality": {"region": format!("{priority}")}})
    };
    let baseline_host = baseline.ip().to_string();
    json!({
        "name": name,
        "cluster_type": {"name": "envoy.cluster.dns", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
            "dns_refresh_rate": "2s",
            "respect_dns_ttl": false,
        }},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "locality_weighted_lb_config": {}},
        "ignore_health_on_host_removal": true,
        "outlier_detection": {
            "split_external_local_origin_errors": true,
            "consecutive_local_origin_failure": 3,
            "consecutive_5xx": 0,
            "interval": "1s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 100,
        },
        "load_assignment": {"cluster_name": name, "endpoints": [endpoints(0, lane), endpoints(1, (&baseline_host, baseline.port()))]},
    })
}

/// As `buildRetryPolicy` makes them of the rendered BackendTrafficPolicy.
fn retries() -> Value {
    let priorities =
        "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
    json!({
        "retry_on": "connect-failure,refused-stream",
        "num_retries": 2,
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {"@type": priorities, "update_frequency": 2},
        },
        "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            },
        }],
        "host_selection_retry_max_attempts": 5,
    })
}

#[test]
fn a_lane_without_a_pod_and_one_whose_pod_is_dead_fall_back() {
    // Nobody listens there any more.
    let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let to =
        |cluster: &str| json!([{"match": {"prefix": "/"}, "route": {"cluster": cluster, "retry_policy": retries()}}]);
    let once = |cluster: &str| json!([{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]);
    let listeners = [
        with_routes("empty", &[], &to("empty")),
        with_routes("dead", &[], &to("dead")),
        with_routes("dead, sent once", &[], &once("dead, sent once")),
    ];
    let mut bootstrap = bootstrap(&listeners).unwrap();
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    let echo =
        &clusters[0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"];
    let echo: SocketAddr = format!("{}:{}", echo["address"].as_str().unwrap(), echo["port_value"]).parse().unwrap();
    let dead = ("127.0.0.1", dead.port());
    // A headless Service without a ready pod: the name is of nobody.
    clusters.extend([
        cluster("empty", ("web-canary.shop.svc.invalid", 80), echo),
        cluster("dead", dead, echo),
        cluster("dead, sent once", dead, echo),
    ]);
    let envoy = run(&bootstrap).unwrap();
    for listener in ["empty", "dead"] {
        for request in 0..20 {
            assert_eq!(answer(&envoy, listener, &[]).0, 200, "{listener}, request {request}");
        }
    }
    // It is the retries that lose nothing: by themselves, three connections fail before Envoy does without the pod.
    assert_eq!(answer(&envoy, "dead, sent once", &[]).0, 503);
    let falls_back = || Ok((answer(&envoy, "dead, sent once", &[]).0 == 200).then_some(()));
    wait_until("the baseline answers", LIMIT, falls_back).unwrap();
}
