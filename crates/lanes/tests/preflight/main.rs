//! What is found in clusters, and what looks like it and is not.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod command;
mod documentation;
mod migration;
mod states;

use std::{fs, path::PathBuf};

use lanes::{document::LaneGroup, file};

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), file].iter().collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

/// What the lane group's document says.
fn published() -> String {
    read("../../manifests/user-segment/lane-group.yaml")
}

fn group(text: &str) -> LaneGroup {
    let mut file = file::read("lane-group.yaml", text);
    assert!(file.groups.len() == 1, "{:?}", file.findings);
    file.groups.remove(0)
}
