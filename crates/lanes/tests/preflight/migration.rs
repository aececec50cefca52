//! What docs/migration.md says that is found while lanes stand beside another tool's canary, and no more.

use lanes::{
    document::LaneGroup,
    preflight::{Cluster, Finding, preflight},
};
use serde_json::{Value, json};

use crate::{group, read};

fn page() -> String {
    read("../../docs/migration.md")
}

/// The page's lane group of that name.
fn shown(name: &str) -> LaneGroup {
    let page = page();
    let start = format!("# {name}\n");
    let block = page.split("```").find(|block| block.starts_with(&format!("yaml\n{start}"))).unwrap();
    group(block.strip_prefix("yaml\n").unwrap())
}

/// What is found where those objects are, beside a mesh that is well.
fn found(group: &LaneGroup, objects: &str) -> Vec<String> {
    let healthy: Value = serde_saphyr::from_str(&read("tests/preflight/healthy.yaml")).unwrap();
    let of_mesh = |object: &&Value| object["kind"] == "Namespace" || object["metadata"]["namespace"] == "istio-system";
    let of_mesh: Vec<&Value> = healthy["items"].as_array().unwrap().iter().filter(of_mesh).collect();
    let mut cluster = Cluster::default();
    cluster.read(&json!({"items": of_mesh}).to_string()).unwrap();
    cluster.read(objects).unwrap();
    let anchor = |finding: Finding| finding.anchor.to_string();
    preflight(group, &cluster).unwrap().into_iter().map(anchor).collect()
}

#[test]
fn beside_other_tools_is_found_what_the_page_says() {
    let cases: [(&str, &str, &[&str]); 2] = [
        ("flagger.yaml", "beside-flagger.yaml", &["gateway-host-taken", "lane-without-ready-pods"]),
        (
            "argo.yaml",
            "beside-argo.yaml",
            &["gateway-host-taken", "lane-without-ready-pods", "destination-rule-with-subsets"],
        ),
    ];
    for (group, objects, expected) in cases {
        assert_eq!(found(&shown(group), &read(&format!("tests/preflight/{objects}"))), expected, "{group}");
        for anchor in expected {
            assert!(page().contains(&format!("(preflight.md#{anchor})")), "{anchor}");
        }
    }
}

/// Without what the page says first, Argo's routes would name subsets that are not there.
#[test]
fn a_destination_rule_that_is_not_exported_is_found_beside_a_rollout() {
    let objects = read("tests/preflight/beside-argo.yaml");
    let hidden = objects.replace("    exportTo: [\"*\"]\n", "");
    assert_ne!(objects, hidden);
    assert!(found(&shown("argo.yaml"), &hidden).contains(&"destination-rule-not-merged".to_owned()));
}
