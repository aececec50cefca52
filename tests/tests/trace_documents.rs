//! Trace propagation's documents and configurations must be true: what they configure is read by the filter's own types,
//! and every option and counter is explained.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;

use serde_json::Value;
use trace_propagation::{Counter, Propagator};
use traffic_lanes_tests::{repository, shown};

const README: &str = "crates/trace-propagation/README.md";
const ENVOY: &str = "envoy/user-segment/trace-propagation.yaml";
const ISTIO: &str = "manifests/user-segment/30-propagation.yaml";

fn plugin_configs_of(path: &str) -> Vec<Value> {
    shown::plugin_configs(&repository().join(path), |object| object.contains_key("traceHeader")).unwrap()
}

#[test]
fn every_plugin_config_shown_is_accepted_without_a_warning() {
    let mut accepted = 0;
    for path in [README, ENVOY, ISTIO] {
        for config in plugin_configs_of(path) {
            let propagator = Propagator::parse(config.to_string().as_bytes(), |_| Some(b"v1".to_vec()));
            let propagator = propagator.unwrap_or_else(|refused| panic!("{path}: {refused}"));
            assert_eq!(propagator.warnings(), [], "{path}");
            accepted += 1;
        }
    }
    assert_eq!(accepted, 4, "the README's, Envoy's, and one for the pods of each of two lanes");
}

#[test]
fn the_walkthrough_is_the_same_for_envoy_and_istio() {
    let envoy = plugin_configs_of(ENVOY);
    assert!(plugin_configs_of(ISTIO).iter().all(|config| *config == envoy[0]));
}

#[test]
fn every_option_is_documented_with_its_default() {
    // The parser's own error lists the fields that it knows.
    let refused = Propagator::parse(br#"{"?": 1}"#, |_| None).unwrap_err().to_string();
    let options: Vec<&str> = refused.split("expected one of ").nth(1).unwrap().split('`').skip(1).step_by(2).collect();
    assert_eq!(options.len(), 6, "{options:?}");
    let readme = fs::read_to_string(repository().join(README)).unwrap();
    for option in options {
        assert!(readme.lines().any(|line| line.starts_with(&format!("| `{option}` | "))), "{option}");
    }
    let shown = &plugin_configs_of(README)[0];
    let minimal = r#"{"traceHeader": "x-request-id", "routeHeaders": ["x-asm-prefer-tag"]}"#;
    let spelled_out = format!(
        r#"{{"traceHeader": "x-request-id", "routeHeaders": ["x-asm-prefer-tag"], "ttlSeconds": {}, "slots": {}, "direction": {}}}"#,
        shown["ttlSeconds"], shown["slots"], shown["direction"]
    );
    let parsed = |json: &str| format!("{:?}", Propagator::parse(json.as_bytes(), |_| None).unwrap());
    assert_eq!(parsed(minimal), parsed(&spelled_out), "the README shows the defaults");
}

#[test]
fn every_counter_is_documented() {
    let readme = fs::read_to_string(repository().join(README)).unwrap();
    for counter in Counter::ALL {
        let name = counter.name();
        let (result, metric) = match name.strip_prefix("result=.=").and_then(|name| name.split_once(";.;")) {
            Some((result, metric)) => (Some(result), metric),
            None => (None, name.as_str()),
        };
        let row = |text: &str| readme.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{text}`")));
        assert!(row(metric) && result.is_none_or(row), "{name}");
    }
}
