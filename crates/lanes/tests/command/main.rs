//! The tool as a user calls it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod check;
mod describe;
mod envoy_gateway;
mod escape;
mod explain;
mod gateway_api;
mod gateways;
mod graph;
mod higress;
mod lane;
mod output;
mod pictures;
mod render;
mod spread;
mod verify;

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// The file of a walkthrough's lane group.
fn manifest(walkthrough: &str) -> String {
    format!("{}/../../manifests/{walkthrough}/lane-group.yaml", env!("CARGO_MANIFEST_DIR"))
}

fn published() -> String {
    manifest("user-segment")
}

fn lanes(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanes"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    told(lanes(arguments).output().unwrap())
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What is rendered, each with its kind and its namespace and name.
fn rendered(arguments: &[&str]) -> Vec<(String, Value)> {
    let (status, stdout, stderr) = run(&[&["render"], arguments].concat());
    assert_eq!(status, 0, "{stderr}");
    let resources: Vec<Value> = serde_saphyr::from_multiple(&stdout).unwrap();
    let named = |resource: Value| {
        let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name")), resource)
    };
    resources.into_iter().map(named).collect()
}

fn names(resources: &[(String, Value)]) -> Vec<&str> {
    resources.iter().map(|(name, _)| name.as_str()).collect()
}

/// A walkthrough's lane group with other texts in it.
fn with(folder: &TempDir, walkthrough: &str, changes: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(manifest(walkthrough)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{walkthrough} has no {from}");
        text = text.replace(from, to);
    }
    let path = folder.path().join("group.yaml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A walkthrough's lane group with a change is not rendered, and every one of these is said.
fn refused(arguments: &[&str], walkthrough: &str, change: (&str, &str), expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let group = with(&folder, walkthrough, &[change]);
    let (status, stdout, stderr) = run(&[&["render"], arguments, &[&group]].concat());
    assert_eq!((status, stdout.as_str()), (2, ""), "{change:?}: {stderr}");
    for expected in expected {
        assert!(stderr.contains(expected), "{expected}: {stderr}");
    }
}

/// The published group with other text in it.
fn changed(folder: &TempDir, name: &str, from: &str, to: &str) -> String {
    let text = fs::read_to_string(published()).unwrap();
    assert!(text.contains(from));
    let path = folder.path().join(name);
    fs::write(&path, text.replace(from, to)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn man_writes_a_page_for_every_subcommand() {
    let (status, stdout, _) = run(&["man", "render", "istio"]);
    assert_eq!((status, stdout.contains("\n.TH lanes-render-istio 1 ")), (0, true), "{stdout}");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("man1");
    assert_eq!(run(&["man", "--output", output.to_str().unwrap()]), (0, String::new(), String::new()));
    let names: BTreeSet<String> =
        fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(["lanes.1", "lanes-check.1", "lanes-render-istio.1"].iter().all(|page| names.contains(*page)), "{names:?}");
    assert_eq!(fs::read_to_string(output.join("lanes-render-istio.1")).unwrap(), stdout);
    let (status, _, stderr) = run(&["man", "chekc"]);
    assert_eq!(
        (status, stderr.contains("there is no subcommand `chekc`: there are check, explain")),
        (2, true),
        "{stderr}"
    );
}

#[test]
fn usage_errors_have_a_status_of_their_own() {
    assert_eq!(run(&[]).0, 2);
    assert_eq!(run(&["check"]).0, 2);
    assert_eq!(run(&["explain", &published(), "--header", "x"]).0, 2);
    assert!(run(&["completion", "bash"]).1.contains("lanes"));
    assert!(run(&["schema"]).1.contains("\"$defs\""));
}

/// An option is written once, in the filter's own type: the schema has it by itself, and its document must.
#[test]
fn every_option_of_a_filter_is_in_its_schema_and_its_document() {
    for (filter, options) in [("hash-tagging", 20), ("baggage-propagation", 8), ("trace-propagation", 6)] {
        let (_, schema, _) = run(&["schema", filter]);
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let document = format!("{}/../{filter}/README.md", env!("CARGO_MANIFEST_DIR"));
        let document = fs::read_to_string(document).unwrap();
        let types = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        let fields: BTreeSet<&String> =
            types.filter_map(|of| of["properties"].as_object()).flat_map(|fields| fields.keys()).collect();
        assert!(fields.len() >= options, "{filter}: {fields:?}");
        for field in fields {
            let is_shown = [format!("`{field}`"), format!("{field}:")].iter().any(|text| document.contains(text));
            assert!(is_shown, "{filter}: `{field}` is not documented");
        }
    }
}
