//! What lane groups are rendered to, and how that reaches a cluster.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;
mod clusters;
mod groups;
mod istio_types;
mod migration;
mod observability;
mod render;
mod rollout;
mod walkthroughs;

use std::{
    fs,
    path::{Path, PathBuf},
};

use lanes::{
    check::check,
    document::{LaneGroup, Routing},
    file,
    render::istio::{Images, render},
};
use serde_json::Value;

/// A change of the text of a lane group: what stands there, and what stands in its place.
type Change = (&'static str, &'static str);

/// The folder of the walkthroughs, or of one.
fn manifests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests").join(name)
}

/// The lane group of a walkthrough, with other text in it.
fn group(walkthrough: &str, changes: &[(&str, &str)]) -> LaneGroup {
    let mut text = fs::read_to_string(manifests(walkthrough).join("lane-group.yaml")).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{walkthrough} has no {from}");
        text = text.replace(from, to);
    }
    let mut file = file::read(walkthrough, &text);
    assert_eq!(file.groups.len(), 1, "{:?}", file.findings);
    file.groups.remove(0)
}

fn by(routing: Routing, mut group: LaneGroup) -> LaneGroup {
    group.spec.mesh.routing = routing;
    group
}

/// Every resource, as a reader of the YAML gets it.
fn resources(group: &LaneGroup) -> Vec<Value> {
    assert_eq!(check(group).errors, []);
    let files = render(group, &Images::default()).unwrap();
    files.iter().flat_map(|file| serde_saphyr::from_multiple::<Value>(&file.to_string()).unwrap()).collect()
}

fn of_kind<'a>(resources: &'a [Value], kind: &str) -> Vec<&'a Value> {
    resources.iter().filter(|resource| resource["kind"] == kind).collect()
}
