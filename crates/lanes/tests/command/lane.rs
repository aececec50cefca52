//! `lanes add` and `lanes remove`: what is not theirs stays byte for byte.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::run;

/// How people lay out the same group.
const LAYOUTS: [&str; 5] = [
    "kind: LaneGroup # first
apiVersion: trafficlanes.dev/v1alpha1
metadata: {name: shop}
spec:
  mode: permissive
  gateway: {selector: {istio: gateway}}
  propagation: application
  services: [{name: web, port: 80}]
  baseline: stable
  lanes: # those that are there

  # everything
  - {name: stable, labels: {lane: stable}, services: [web]}
  # what is new
  - name: canary   # a fifth
    labels:
      lane: canary
      team: shop
    services:
    - web

  # what comes in
  routes:
  # all of it
  - {name: everybody, service: web}
",
    "apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: shop}
spec:
    mode: permissive
    gateway: {selector: {istio: gateway}}
    propagation: application
    services: [{name: web, port: 80}]
    baseline: stable
    routes:
        -   name: everybody
            service: web
    lanes:
        -   name: stable
            labels: {lane: stable}
            services: [web]
        -   name: canary
            labels: {lane: canary}
            services: [web]",
    "apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: shop}
spec: {mode: permissive, gateway: {selector: {istio: gateway}}, propagation: application, services: [{name: web, port: 80}], baseline: stable, lanes: [{name: stable, labels: {lane: stable}, services: [web]}, {name: canary, labels: {lane: canary}, services: [web]}], routes: [{name: everybody, service: web}]}
",
    "apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: shop}
spec:
  mode: permissive
  gateway: {selector: {istio: gateway}}
  propagation: application
  services: [{name: web, port: 80}]
  baseline: stable
  lanes: [
    {name: stable, labels: {lane: stable}, services: [web]},   # everything
    {name: canary, labels: {lane: canary}, services: [web]}
  ]
  routes: [
    {name: everybody, service: web},
  ]
",
    "# Zoë's and 山田's
---
apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: \"shop\"}
spec:
  \"lanes\":
  - {name: stable, labels: {lane: stable}, services: [web]} # ünïcode
  - {name: canary, labels: {lane: canary}, services: [web]}
  mode: permissive
  gateway: {selector: {istio: gateway}}
  propagation: application
  services: [{name: web, port: 80}]
  baseline: stable
  routes:
  - {name: everybody, service: web}
",
];

fn written(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("group.yaml");
    fs::write(&file, text).unwrap();
    (folder, file.display().to_string())
}

type Said = (i32, String, String);

/// What is said beside the result, where all is well.
fn fine((status, _, remarks): Said) -> String {
    assert_eq!(status, 0, "{remarks}");
    remarks
}

fn refused(arguments: &[&str], expected: &str) {
    let (status, _, said) = run(arguments);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains(expected), "{expected}: {said}");
}

fn add(file: &str, lane: &str) -> Said {
    run(&["add", file, lane, "--from-template", "canary", "--match", &format!("x-preview={lane}")])
}

#[test]
fn what_was_added_is_removed_without_a_trace() {
    for text in LAYOUTS {
        let (_folder, file) = written(text);
        fine(add(&file, "pr-17"));
        let added = fs::read_to_string(&file).unwrap();
        let group = lanes::file::read("group", &added).groups.remove(0);
        let lane = group.spec.lane("pr-17").unwrap();
        assert_eq!(lane.labels.get("lane").unwrap(), "pr-17", "{added}");
        assert_eq!(group.spec.routes.first().unwrap().lane.as_deref(), Some("pr-17"), "{added}");
        fine(run(&["remove", &file, "pr-17"]));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn many_lanes_come_and_go_in_any_order() {
    for text in LAYOUTS {
        let (_folder, file) = written(text);
        for number in 0..20 {
            fine(add(&file, &format!("pr-{number}")));
        }
        let group = lanes::file::read("group", &fs::read_to_string(&file).unwrap()).groups.remove(0);
        assert_eq!(group.spec.lanes.len(), 22);
        for number in (0..20).map(|number| number * 7 % 20) {
            fine(run(&["remove", &file, &format!("pr-{number}")]));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn every_published_group_takes_a_lane() {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests");
    for walkthrough in ["permissive", "permissive-baggage", "strict", "strict-source-labels", "user-segment"] {
        let text = fs::read_to_string(manifests.join(walkthrough).join("lane-group.yaml")).unwrap();
        let (_folder, file) = written(&text);
        let services = "mocka,mockb,mockc";
        fine(run(&["add", &file, "yes", "--label", "version=1.0", "--services", services, "--match", "x-a=b c"]));
        assert!(fs::read_to_string(&file).unwrap().contains(r#"{name: "yes", labels: {version: "1.0"}, "#));
        fine(run(&["remove", &file, "yes"]));
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{walkthrough}");
    }
}

#[test]
fn comments_right_above_what_goes_go_with_it() {
    let (_folder, file) = written(LAYOUTS[0]);
    fine(run(&["remove", &file, "canary"]));
    let left = fs::read_to_string(&file).unwrap();
    assert!(!left.contains("what is new") && !left.contains("canary"), "{left}");
    assert!(left.contains("\n  # everything\n") && left.contains("\n  # what comes in\n"), "{left}");
}

#[test]
fn the_same_again_is_nothing_and_another_is_refused() {
    let (_folder, file) = written(LAYOUTS[0]);
    fine(add(&file, "pr-17"));
    let once = fs::read_to_string(&file).unwrap();
    assert!(fine(add(&file, "pr-17")).contains("nothing to do"));
    assert_eq!(fs::read_to_string(&file).unwrap(), once);
    refused(&["add", &file, "pr-17", "--label", "lane=other", "--services", "web"], "has another lane pr-17");
    refused(&["add", &file, "pr-18", "--services", "web"], "Say it with --label");
    refused(&["add", &file, "pr-18", "--label", "lane=pr-18"], "which services has the lane?");
    refused(&["add", &file, "pr-18", "--from-template", "none"], "there is no such lane");
    refused(&["add", &file, "pr-18", "--from-template", "stable"], "the baseline is no template");
    refused(&["add", &file, "Not A Name", "--from-template", "canary"], "would not be valid");
    refused(&["remove", &file, "pr-18"], "has no lane pr-18");
    assert!(fine(run(&["remove", &file, "pr-18", "--ignore-not-found"])).contains("nothing to do"));
    refused(&["remove", &file, "stable"], "is the baseline");
    assert_eq!(fs::read_to_string(&file).unwrap(), once, "what is refused changes nothing");
}

#[test]
fn a_lane_with_users_stays() {
    let users = "  assign: {users: {identity: [{header: id}], named: [{values: [a], lane: canary}], split: [{lane: canary, percent: 20}]}}\n";
    let (_folder, file) = written(&format!("{}{users}", LAYOUTS[0]));
    refused(&["remove", &file, "canary"], "has 20 % of the requests: take it back to 0 first");
    refused(&["add", &file, "pr-17", "--from-template", "canary"], "nothing would lead into lane pr-17");
    let back = fs::read_to_string(&file).unwrap().replace("percent: 20", "percent: 0");
    fs::write(&file, back).unwrap();
    fine(run(&["remove", &file, "canary"]));
    assert!(fs::read_to_string(&file).unwrap().contains("named: [], split: []"));
}

#[test]
fn a_dry_run_prints_and_changes_nothing() {
    let (_folder, file) = written(LAYOUTS[0]);
    let (status, printed, _) = run(&["add", &file, "pr-17", "--from-template", "canary", "--dry-run"]);
    assert_eq!(status, 0);
    assert!(printed.contains("- {name: pr-17, labels: {lane: pr-17, team: pr-17}, services: [web]}\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), LAYOUTS[0]);
}
