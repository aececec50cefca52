//! `lanes render gateway-api`.

use serde_json::json;

use crate::{manifest, names, refused, rendered, run, with};

const CLASS: [&str; 2] = ["--class", "any"];

#[test]
fn routes_lead_by_the_tag_to_services_and_nothing_else_is_rendered() {
    let all = rendered(&[&["gateway-api", &manifest("strict")], &CLASS[..]].concat());
    let expected = [
        "Service default/mocka-s1",
        "Service default/mocka-s2",
        "Service default/mocka-s3",
        "Gateway default/strict-ingress",
        "HTTPRoute default/strict-ingress",
    ];
    assert_eq!(names(&all), expected);
    let (_, route) = all.last().unwrap();
    for (rule, lane) in route["spec"]["rules"].as_array().unwrap().iter().zip(["s1", "s2", "s3"]) {
        let header = json!({"type": "Exact", "name": "x-asm-prefer-tag", "value": lane});
        assert_eq!(rule["matches"], json!([{"path": {"type": "Exact", "value": "/mock"}, "headers": [header]}]));
        assert_eq!(rule["backendRefs"][0]["name"], json!(format!("mocka-{lane}")));
    }
    let (_, _, said) = run(&[&["render", "gateway-api", &manifest("strict")], &CLASS[..]].concat());
    assert!(
        said.contains("note: nothing here writes x-asm-prefer-tag") && !said.contains("nothing falls back"),
        "{said}"
    );
}

/// A lane has what the document lists, and the baseline the rest: nobody finds out at run time.
#[test]
fn a_permissive_lane_is_what_it_lists_and_that_nothing_falls_back_is_said() {
    let group = manifest("permissive");
    let all = rendered(&[&["gateway-api", &group], &CLASS[..]].concat());
    let services = names(&all).into_iter().filter(|name| name.starts_with("Service "));
    // s3 has no mocka.
    assert_eq!(services.collect::<Vec<_>>(), ["Service default/mocka-s1", "Service default/mocka-s2"]);
    let routes = all.iter().filter(|(name, _)| name.starts_with("HTTPRoute "));
    let rules: Vec<_> = routes.flat_map(|(_, route)| route["spec"]["rules"].as_array().unwrap()).collect();
    let to: Vec<_> = rules.iter().map(|rule| &rule["backendRefs"][0]["name"]).collect();
    assert_eq!(to, ["mocka-s2", "mocka-s1"]);
    let (_, _, said) = run(&[&["render", "gateway-api", &group], &CLASS[..]].concat());
    assert!(said.contains("note: nothing falls back here"), "{said}");
    let (_, _, said) = run(&[&["render", "gateway-api", &group, "--delete"], &CLASS[..]].concat());
    assert_eq!(said, "");
}

#[test]
fn clients_who_may_not_choose_lose_their_tag() {
    let folder = tempfile::tempdir().unwrap();
    let group = with(&folder, "permissive", &[("  mode: permissive", "  mode: permissive\n  clients: mayNot")]);
    let all = rendered(&[&["gateway-api", &group], &CLASS[..]].concat());
    let (_, route) = all.last().unwrap();
    let [rule] = route["spec"]["rules"].as_array().unwrap().as_slice() else { panic!("{route:#}") };
    assert_eq!(rule["filters"][0]["requestHeaderModifier"], json!({"remove": ["x-asm-prefer-tag"]}));
    let (_, _, said) = run(&[&["render", "gateway-api", &group], &CLASS[..]].concat());
    assert!(!said.contains("nothing here writes"), "{said}");
}

#[test]
fn a_prefix_of_whole_segments_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let cart =
        "- {name: cart, service: mocka, match: [{uri: {exact: /cart}}, {uri: {prefix: /cart/}}]}\n  - {name: everybody";
    let group = with(&folder, "permissive", &[("- {name: everybody", cart)]);
    let all = rendered(&[&["gateway-api", &group], &CLASS[..]].concat());
    let (_, route) = all.last().unwrap();
    let matches = route["spec"]["rules"][1]["matches"].as_array().unwrap();
    let paths: Vec<_> = matches.iter().map(|one| (&one["path"]["type"], &one["path"]["value"])).collect();
    assert_eq!(paths, [(&json!("Exact"), &json!("/cart")), (&json!("PathPrefix"), &json!("/cart"))]);
}

/// Each by name, with what to do instead.
#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |walkthrough: &str, change: (&str, &str), expected: &[&str]| {
        refused(&[&["gateway-api"], &CLASS[..]].concat(), walkthrough, change, expected);
    };
    let same = ("spec:", "spec:");
    refused("user-segment", same, &["spec.assign.users: ", "let a proxy in front write `x-asm-prefer-tag`"]);
    let baggage = ("propagation: application", "propagation: {baggage: {}}\n  clients: mayNot");
    refused("permissive", baggage, &["spec.clients: ", "say `mayChoose`"]);
    let never = ("  mode: permissive", "  mode: permissive\n  retries: never");
    refused("permissive", never, &["spec.retries: ", "leave it out"]);
    let mirrored = ("services: [mockb]}", "services: [mocka, mockb, mockc], mirror: {percent: 1}}\n  clients: mayNot");
    refused("permissive", mirrored, &["spec.lanes: ", "lane s3 cannot get copies"]);
    let of_route = [
        ("retries: ", "retries: {attempts: 1}", "leave it out"),
        ("match[0].uri.prefix: ", "match: [{uri: {prefix: /cart}}]", "`exact: /cart` and `prefix: /cart/`"),
        (
            "match[1].uri.prefix: ",
            "match: [{uri: {exact: /cart}}, {uri: {prefix: /cart/}, method: {exact: GET}}]",
            "`exact: /cart`",
        ),
        ("match[0].uri.regex: ", "match: [{uri: {regex: /c.*}}]", "say `exact` or `prefix`"),
        ("match[0].headers.x-beta: ", "match: [{headers: {x-beta: {prefix: a}}}]", "say `exact`"),
        ("rewrite.uri: ", "match: [{uri: {exact: /a}}, {uri: {prefix: /a/}}], rewrite: {uri: /b}", "with Gateway API"),
    ];
    for (path, field, remedy) in of_route {
        let route = format!("{{name: everybody, service: mocka, {field}}}");
        let path = format!("spec.routes[0].{path}");
        refused("permissive", ("{name: everybody, service: mocka}", &route), &[&path, remedy]);
    }
    let (status, stdout, stderr) = run(&["render", "gateway-api", &manifest("strict")]);
    assert_eq!((status, stdout.as_str()), (2, ""));
    assert!(stderr.contains("spec.gateway.ref: ") && stderr.contains("--class"), "{stderr}");
    let folder = tempfile::tempdir().unwrap();
    let group = with(&folder, "strict", &[("gateway: {", "gateway: {ref: {name: public, namespace: edge}, ")]);
    assert_eq!(run(&["render", "gateway-api", &group]).0, 0);
}
