//! Images of the release modules at a real registry: pushed, read back by others, refused where Istio would refuse them.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod failures;
mod forms;
mod hostile;
mod refused;
mod release;

use std::process::Output;

use serde_json::Value;
use traffic_lanes_tests::module;

/// `lanes` without credentials.
fn lanes(arguments: &[&str]) -> Output {
    let nobody = tempfile::tempdir().unwrap();
    traffic_lanes_tests::registry::lanes(nobody.path(), arguments).unwrap()
}

fn succeeded(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn path(name: &str) -> String {
    module(name).unwrap().display().to_string()
}

fn inspected(reference: &str) -> Value {
    serde_json::from_str(&succeeded(&lanes(&["inspect", reference, "--format", "json"]))).unwrap()
}
