//! Any text as a file of lane groups: what is valid is rendered or refused, explained, and the same when it is printed as JSON.
#![no_main]

use std::path::PathBuf;

use header_edit::HeaderList;
use lanes::{
    document::LaneGroup,
    explain::explain,
    file,
    finding::Severity,
    render::{envoy, istio, prometheus},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let read = file::read("group.yaml", text);
    let has_errors = read.findings.iter().any(|finding| finding.severity == Severity::Error);
    for group in &read.groups {
        let json = serde_json::to_string(group).unwrap();
        let again = file::read("group.json", &json);
        assert!(has_errors || again.groups.len() == 1, "{:?}", again.findings);
        for again in again.groups {
            assert_eq!(serde_json::to_string(&again).unwrap(), json);
        }
        is_used(group);
    }
});

fn is_used(group: &LaneGroup) {
    let _ = istio::render(group, &Default::default());
    let options = envoy::Options { modules: PathBuf::from("."), ..envoy::Options::default() };
    let _ = envoy::render(group, &options);
    let _ = prometheus::render(group);
    for user in ["jessie", ""] {
        let headers: HeaderList =
            [(":authority", "shop.example.com"), (":path", "/"), ("x-user-id", user)].into_iter().collect();
        let _ = explain(group, &headers);
    }
}
