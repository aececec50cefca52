//! Every kind of change, back and forth, in both renderings.

use std::collections::BTreeSet;

use lanes::rollout::{Resource, Step};

use super::{API, Change, Cluster, cluster::Needs, names, planned, rendered};
use crate::group;

/// What a change is called, the lane group, and what changes of it.
type Kind = (&'static str, &'static str, &'static [Change]);

const KINDS: [Kind; 19] = [
    ("ramp", "user-segment", &[("percent: 20", "percent: 50")]),
    ("a user's own lane", "user-segment", &[("exact: jason", "exact: jack")]),
    ("no lane for users", "user-segment", &[("lane: s2, percent: 20", "lane: s2, percent: 0")]),
    (
        "another lane",
        "user-segment",
        &[(NO_S3, S3), ("lane: s2, percent: 20}", "lane: s2, percent: 20}, {lane: s3, percent: 20}")],
    ),
    ("lane for tags only", "permissive", &[("  - {name: s3, labels: {ASM_TRAFFIC_TAG: v3}, services: [mockb]}\n", "")]),
    ("a mirrored lane", "user-segment", &[(NO_S3, SHADOW)]),
    ("rename of a lane", "user-segment", &[("s2", "canary")]),
    (
        "promote",
        "permissive",
        &[("baseline: s1", "baseline: s2"), ("services: [mocka, mockc]", "services: [mocka, mockb, mockc]")],
    ),
    ("promote, and the old baseline goes", "user-segment", PROMOTED),
    (
        "promote, and another lane goes",
        "permissive",
        &[
            ("baseline: s1", "baseline: s2"),
            ("services: [mocka, mockc]", "services: [mocka, mockb, mockc]"),
            ("  - {name: s3, labels: {ASM_TRAFFIC_TAG: v3}, services: [mockb]}\n", ""),
        ],
    ),
    ("one port for another", "permissive", &[("mocka, port: 8000", "mocka, port: 9000")]),
    (
        "a service leaves",
        "permissive",
        &[(", {name: mockb, port: 8000}", ""), (", mockb", ""), ("services: [mockb]", "services: [mockc]")],
    ),
    ("declared", "permissive", &[("  mode:", "  membership: declared\n  mode:")]),
    (
        "strict",
        "permissive",
        &[
            ("mode: permissive", "mode: strict"),
            ("services: [mocka, mockc]", "services: [mocka, mockb, mockc]"),
            ("services: [mockb]", "services: [mocka, mockb, mockc]"),
        ],
    ),
    ("other callers", "permissive", &[("  mode:", "  mesh: {callers: [shop]}\n  mode:")]),
    ("clients may not choose, by users", "user-segment", &[("  assign:", "  clients: mayChoose\n  assign:")]),
    ("clients may not choose, by chance", "permissive-baggage", &[("mayChoose", "mayNot")]),
    (
        "clients may not choose, by a route",
        "permissive",
        &[(
            "  routes:\n",
            "  clients: mayNot\n  routes:\n  - {name: s2, service: mocka, match: [{uri: {prefix: /s2}}], lane: s2}\n",
        )],
    ),
    ("another port", "strict", &[("mocka, port: 8000", "mocka, port: 9000")]),
];

const NO_S3: &str = "{name: s2, labels: {ASM_TRAFFIC_TAG: v2}, services: [mockc]}\n";
const SHADOW: &str = "{name: s2, labels: {ASM_TRAFFIC_TAG: v2}, services: [mockc]}\n  - {name: shadow, labels: {ASM_TRAFFIC_TAG: v3}, \
    services: [mocka, mockb, mockc], mirror: {percent: 10}}\n";
const S3: &str = "{name: s2, labels: {ASM_TRAFFIC_TAG: v2}, services: [mockc]}\n  - {name: s3, labels: {ASM_TRAFFIC_TAG: v3}, services: [mockb]}\n";
const PROMOTED: &[Change] = &[
    ("baseline: s1", "baseline: s2"),
    ("  - {name: s1, labels: {ASM_TRAFFIC_TAG: v1}, services: [mocka, mockb, mockc]}\n", ""),
    ("services: [mockc]", "services: [mocka, mockb, mockc]"),
    ("lane: s2}", "lane: s2}"),
    ("split: [{lane: s2, percent: 20}]", "split: []"),
];

#[test]
fn nothing_is_ever_missing() {
    for (name, walkthrough, changes) in KINDS {
        for api in [false, true] {
            if api && walkthrough == "strict" {
                continue;
            }
            let routing: &[Change] = if api { &[API] } else { &[] };
            // A document has one `mesh`.
            let of_mesh = |(_, to): &&Change| to.contains("mesh:");
            if api && changes.iter().any(|change| of_mesh(&change)) {
                continue;
            }
            let before = rendered(&group(walkthrough, routing));
            let after = rendered(&group(walkthrough, &[routing, changes].concat()));
            changes_well(&format!("{name}, {api}"), &before, &after);
            changes_well(&format!("{name}, {api}, back"), &after, &before);
        }
    }
}

#[test]
fn from_one_rendering_to_the_other_and_back() {
    for walkthrough in ["permissive", "user-segment", "permissive-baggage"] {
        let (before, after) = (rendered(&group(walkthrough, &[])), rendered(&group(walkthrough, &[API])));
        changes_well(walkthrough, &before, &after);
        changes_well(walkthrough, &after, &before);
    }
}

#[test]
fn all_comes_and_all_goes() {
    for walkthrough in ["permissive", "user-segment", "permissive-baggage", "strict", "strict-source-labels"] {
        let all = rendered(&group(walkthrough, &[]));
        changes_well(walkthrough, &[], &all);
        changes_well(walkthrough, &all, &[]);
    }
}

/// After each write nothing is missing; at the end there is what is wanted, and nothing to do; and from wherever it was broken
/// off, what was left goes on.
fn changes_well(name: &str, before: &[Resource], after: &[Resource]) {
    let (mut cluster, wanted) = (Cluster::of(before), Cluster::of(after));
    let needs = Needs::new(&cluster, &wanted);
    let steps = planned(&cluster, after);
    for (number, step) in steps.iter().enumerate() {
        assert_eq!(names(&planned(&cluster, after)), names(&steps[number..]), "{name}: broken off after {number}");
        for change in &step.apply {
            assert_eq!(change.from.as_ref(), cluster.resources().find(|it| it.id() == change.to.id()), "{name}");
            cluster.apply(&change.apply);
            nothing_is_missing(name, &cluster.missing(&needs), step);
        }
        for resource in &step.delete {
            cluster.delete(&resource.id());
            nothing_is_missing(name, &cluster.missing(&needs), step);
        }
    }
    assert_eq!(cluster.values(), wanted.values(), "{name}: {:?}", names(&steps));
    assert!(planned(&cluster, after).is_empty(), "{name}");
}

fn nothing_is_missing(name: &str, missing: &BTreeSet<String>, step: &Step) {
    assert!(missing.is_empty(), "{name}, {:?} {}: {missing:#?}", step.pass, step.wave.name());
}
