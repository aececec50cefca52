//! Lane groups that are each valid, applied to one mesh.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lanes::{
    file::{File, read, read_together},
    finding::Severity,
};

const USER_SEGMENT: &str = include_str!("../../../manifests/user-segment/lane-group.yaml");

/// Another group on the same gateway, which shares nothing else.
fn other() -> String {
    let text =
        USER_SEGMENT.replace("mock", "shop").replace("user-segment", "shop").replace("ASM_TRAFFIC_TAG", "shop-lane");
    let text =
        text.replace("ingressgateway}}", "ingressgateway}, hosts: [shop.example.com]}\n  routeHeader: x-shop-lane");
    text.replace("hash: fnv1a32", "hash: murmur3\n      salt: shop")
}

fn found(second: &str) -> Vec<String> {
    let valid = |name: &str, text: &str| -> File {
        let file = read(name, text);
        assert_eq!((file.groups.len(), file.findings.as_slice()), (1, [].as_slice()));
        file
    };
    let findings = read_together(&[("a.yaml", valid("a.yaml", USER_SEGMENT)), ("b.yaml", valid("b.yaml", second))]);
    assert!(findings.iter().all(|finding| finding.file == "b.yaml" && finding.line > 1));
    let told = |severity| if severity == Severity::Error { "error" } else { "warning" };
    findings.iter().map(|finding| format!("{} {}", told(finding.severity), finding.path)).collect()
}

#[test]
fn groups_that_share_only_a_gateway_are_fine() {
    assert_eq!(found(&other()), Vec::<String>::new());
}

#[test]
fn whatever_two_groups_cannot_share_is_said_once() {
    let with = |from: &str, to: &str| {
        let text = other();
        assert!(text.contains(from), "{from}");
        found(&text.replace(from, to))
    };
    assert_eq!(with("name: shop, ", "name: user-segment, "), ["error metadata.name"]);
    assert_eq!(with("hosts: [shop.example.com]", "hosts: [shop.example.com, '*']"), ["error spec.gateway.hosts[1]"]);
    assert_eq!(with("x-shop-lane", "X-Asm-Prefer-Tag"), ["error spec.routeHeader"], "user-segment tags all hosts");
    assert_eq!(with("shop-lane: v2", "ASM_TRAFFIC_TAG: v2"), ["warning spec.lanes[1].labels"]);
    assert_eq!(with("hash: murmur3\n      salt: shop", "hash: fnv1a32"), ["warning spec.assign.users"]);
    assert_eq!(with("shopc", "mockc"), ["error spec.services[2].name"]);
    assert!(found(&other().replace("namespace: default", "namespace: shop").replace("shopc", "mockc")).is_empty());
}

#[test]
fn hosts_that_overlap_are_found() {
    let narrow = other();
    let wide = narrow.replace("shop.example.com", "'*.example.com'").replace("x-shop-lane", "x-wide-lane");
    let wide = wide.replace("shopa", "widea").replace("shopb", "wideb").replace("shopc", "widec");
    let wide = wide
        .replace("name: shop,", "name: wide,")
        .replace("shop-lane:", "wide-lane:")
        .replace("salt: shop", "salt: wide");
    let found = |first: &str, second: &str| {
        let files = [first, second].map(|text| read("group.yaml", text));
        assert!(files.iter().all(|file| file.groups.len() == 1), "{files:?}");
        let [first, second] = files;
        let findings = read_together(&[("a.yaml", first), ("b.yaml", second)]);
        findings.iter().map(|finding| format!("{} {}", finding.severity, finding.path)).collect::<Vec<_>>()
    };
    assert_eq!(found(&wide, &narrow), ["warning spec.gateway.hosts[0]"]);
    assert_eq!(found(&narrow, &wide), ["warning spec.gateway.hosts[0]"]);
    let same_header = wide.replace("x-wide-lane", "x-shop-lane");
    let both = ["error spec.routeHeader", "warning spec.gateway.hosts[0]"];
    assert_eq!(found(&same_header, &narrow), both, "the filter of the wide one tags the narrow one's requests");
    let elsewhere = narrow.replace("shop.example.com", "shop.example.org");
    assert_eq!(found(&wide, &elsewhere), Vec::<String>::new());
}

#[test]
fn a_group_that_lets_no_client_choose_takes_the_tags_of_others_too() {
    let weights = "weights: [{lane: s1, weight: 80}, {lane: s2, weight: 20}]";
    let baggage = |text: &str, assign: &str| {
        let (text, _) = text.split_once("  assign:").unwrap();
        text.replace("{trace: {header: x-user-id}}", "{baggage: {key: lane}}") + assign
    };
    let strict = baggage(USER_SEGMENT, &format!("  assign: {{{weights}}}\n"));
    let found = |second: &str| {
        let files = [&strict, second].map(|text| read("group.yaml", text));
        assert!(files.iter().all(|file| file.groups.len() == 1), "{files:?}");
        let [first, second] = files;
        let findings = read_together(&[("a.yaml", first), ("b.yaml", second)]);
        findings.iter().map(|finding| format!("{} {}", finding.severity, finding.path)).collect::<Vec<_>>()
    };
    let open = baggage(&other(), "");
    assert_eq!(found(&open), ["error spec.routeHeader"], "the same key");
    assert_eq!(found(&open.replace("key: lane", "key: shop")), Vec::<String>::new());
    assert_eq!(
        found(&open.replace("key: lane", "key: shop").replace("x-shop-lane", "x-asm-prefer-tag")),
        ["error spec.routeHeader"]
    );
    assert_eq!(
        found(&baggage(&other(), &format!("  assign: {{{weights}}}\n"))),
        Vec::<String>::new(),
        "both say the same"
    );
}
