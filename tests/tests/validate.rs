//! What `lanes render envoy` writes is accepted by a real Envoy (`--mode validate`): every bootstrap as it is, and once more
//! with all that it would discover in its place, which validation alone does not read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use lanes::{
    document::LaneGroup,
    render::envoy::{self, Options, Placement},
};
use local_mesh::{Envoy, WALKTHROUGHS};
use serde_json::{Value, json};
use traffic_lanes_tests::{dist, repository};

/// The files of a rendering, by name.
type Files = BTreeMap<String, Value>;

/// What no walkthrough has.
const EVERY_CONDITION: &str = include_str!("../testdata/every-condition.yaml");
const BY_WEIGHT: &str = include_str!("../testdata/by-weight.yaml");

#[test]
fn every_kept_bootstrap_is_accepted() {
    for name in WALKTHROUGHS {
        let folder = repository().join("envoy").join(name);
        let files = read(&folder);
        for bootstrap in bootstraps(&files) {
            validate(&folder, bootstrap).unwrap_or_else(|log| panic!("{name}/{bootstrap}: {log}"));
        }
    }
}

#[test]
fn what_is_rendered_for_one_machine_is_accepted_with_all_that_it_discovers() {
    groups().iter().for_each(|group| accept(group, Placement::Loopback));
}

#[test]
fn what_is_rendered_for_named_hosts_is_accepted_with_all_that_it_discovers() {
    groups().iter().for_each(|group| accept(group, "{service}-{lane}".parse().unwrap()));
}

#[test]
fn what_envoy_refuses_is_noticed() {
    let group = group(EVERY_CONDITION);
    let mut files = render(&group, Placement::Loopback).1;
    files.get_mut("outbound-routes.yaml").unwrap()["resources"][0]["virtual_hosts"][0]["domains"] = json!([]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.yaml"), whole(&files, "gateway.yaml").to_string()).unwrap();
    validate(folder.path(), "gateway.yaml").unwrap();
    fs::write(folder.path().join("web-beta.yaml"), whole(&files, "web-beta.yaml").to_string()).unwrap();
    let log = validate(folder.path(), "web-beta.yaml").unwrap_err();
    assert!(log.contains("Domains"), "{log}");
}

/// Every proxy of the group, as it is rendered and whole.
fn accept(group: &LaneGroup, placement: Placement) {
    let place = format!("{} with {placement:?}", group.metadata.name);
    let (folder, files) = render(group, placement);
    for bootstrap in bootstraps(&files) {
        validate(folder.path(), bootstrap).unwrap_or_else(|log| panic!("{place}: {bootstrap}: {log}"));
        fs::write(folder.path().join("whole.yaml"), whole(&files, bootstrap).to_string()).unwrap();
        validate(folder.path(), "whole.yaml").unwrap_or_else(|log| panic!("{place}: {bootstrap}, whole: {log}"));
    }
}

/// Those of the walkthroughs and, for what they do not have, two more.
fn groups() -> Vec<LaneGroup> {
    let manifest = |name| repository().join("manifests").join(name).join("lane-group.yaml");
    let kept = WALKTHROUGHS.map(|name| group(&fs::read_to_string(manifest(name)).unwrap()));
    kept.into_iter().chain([EVERY_CONDITION, BY_WEIGHT].map(group)).collect()
}

fn group(text: &str) -> LaneGroup {
    let mut file = lanes::file::read("group", text);
    assert_eq!(file.groups.len(), 1, "{:?}", file.findings);
    file.groups.remove(0)
}

fn render(group: &LaneGroup, placement: Placement) -> (tempfile::TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { placement, modules: dist(), ..Options::default() };
    for file in envoy::render(group, &options).unwrap() {
        fs::write(folder.path().join(&file.name), file.to_string()).unwrap();
    }
    let files = read(folder.path());
    (folder, files)
}

fn read(folder: &Path) -> Files {
    let file = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(|entry| file(&entry.unwrap().path())).collect()
}

/// The names of the files that an Envoy starts with.
fn bootstraps(files: &Files) -> Vec<&str> {
    let found: Vec<_> = files.iter().filter(|(_, file)| file.get("node").is_some()).map(|(name, _)| &**name).collect();
    assert!(found.contains(&"gateway.yaml") && found.len() > 1, "{found:?}");
    found
}

/// The bootstrap `name` with the clusters, routes and filters that it would discover in the other files.
fn whole(files: &Files, name: &str) -> Value {
    let mut bootstrap = files[name].clone();
    bootstrap.as_object_mut().unwrap().remove("dynamic_resources");
    let resources = &mut bootstrap["static_resources"];
    let mut clusters = resources["clusters"].as_array().cloned().unwrap_or_default();
    clusters.extend(files["clusters.yaml"]["resources"].as_array().unwrap().iter().map(without_type));
    resources["clusters"] = clusters.into();
    for listener in resources["listeners"].as_array_mut().unwrap() {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        if let Some(rds) = manager.as_object_mut().unwrap().remove("rds") {
            manager["route_config"] = without_type(discovered(files, &rds["config_source"]));
        }
        for filter in manager["http_filters"].as_array_mut().unwrap() {
            if let Some(discovery) = filter.as_object_mut().unwrap().remove("config_discovery") {
                filter["typed_config"] = discovered(files, &discovery["config_source"])["typed_config"].clone();
            }
        }
    }
    bootstrap
}

/// The only resource of the file that a configuration source names.
fn discovered<'a>(files: &'a Files, source: &Value) -> &'a Value {
    let path = source["path_config_source"]["path"].as_str().unwrap();
    &files[path.trim_start_matches("./")]["resources"][0]
}

fn without_type(resource: &Value) -> Value {
    let mut resource = resource.clone();
    resource.as_object_mut().unwrap().remove("@type").unwrap();
    resource
}

/// # Errors
/// What Envoy says of a bootstrap that it does not accept.
fn validate(folder: &Path, bootstrap: &str) -> Result<(), String> {
    let mut command = Command::new(Envoy::binary(repository()).unwrap());
    command.args(["--mode", "validate", "--log-level", "error", "--config-path", bootstrap]).current_dir(folder);
    let run = command.output().unwrap();
    if run.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&run.stderr).into_owned()) }
}
