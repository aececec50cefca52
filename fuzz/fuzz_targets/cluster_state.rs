//! Any text as what a cluster holds, looked at for a group that is in the repository.
#![no_main]

use std::sync::LazyLock;

use lanes::{
    document::LaneGroup,
    file,
    preflight::{Cluster, preflight},
};
use libfuzzer_sys::fuzz_target;

static GROUP: LazyLock<LaneGroup> = LazyLock::new(|| {
    let text = include_str!("../../manifests/user-segment/lane-group.yaml");
    file::read("lane-group.yaml", text).groups.remove(0)
});

fuzz_target!(|text: &str| {
    let mut cluster = Cluster::default();
    if cluster.read(text).is_ok() {
        let findings = preflight(&GROUP, &cluster).unwrap();
        assert!(findings.iter().all(|finding| !finding.happens.is_empty() && !finding.remedy.is_empty()));
    }
});
