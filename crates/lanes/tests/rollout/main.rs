//! What is written, and in which order: after every single write, nothing is named that is not there.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod changes;
mod cluster;
mod steps;

use std::{fs, path::Path};

use lanes::{
    document::LaneGroup,
    file,
    render::istio::{Images, Options, render},
    rollout::{Pass, Resource, Step, Wanted, plan},
};

use cluster::Cluster;

/// A change of the text of a lane group: what stands there, and what stands in its place.
type Change = (&'static str, &'static str);

const API: Change = ("  mode:", "  mesh: {routing: gatewayAPI}\n  mode:");

/// The lane group of a walkthrough, changed.
fn group(walkthrough: &str, changes: &[Change]) -> LaneGroup {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests").join(walkthrough).join("lane-group.yaml");
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{walkthrough} has no {from}");
        text = text.replace(from, to);
    }
    let mut file = file::read(walkthrough, &text);
    assert_eq!(file.groups.len(), 1, "{:?}", file.findings);
    file.groups.remove(0)
}

fn rendered(group: &LaneGroup) -> Vec<Resource> {
    let images = Images { reference: Some("oci://example.com/{module}:1".to_owned()), ..Images::default() };
    let files = render(group, &Options { images }).unwrap();
    let documents = files.iter().flat_map(|file| &file.documents);
    documents.map(|document| Resource::new(serde_saphyr::from_str(document).unwrap()).unwrap()).collect()
}

/// The steps from what is there to what is wanted, when the server adds nothing of its own.
fn planned(there: &Cluster, wanted: &[Resource]) -> Vec<Step> {
    let there: Vec<Resource> = there.resources().cloned().collect();
    let as_held = |resource: &Resource| Wanted { rendered: resource.clone(), held: resource.clone() };
    plan(&there, &wanted.iter().map(as_held).collect::<Vec<_>>())
}

fn names(steps: &[Step]) -> Vec<String> {
    let name = |step: &Step| match step.pass {
        Pass::Widen => format!("+{}", step.wave.name()),
        Pass::Narrow => format!("-{}", step.wave.name()),
    };
    steps.iter().map(name).collect()
}
