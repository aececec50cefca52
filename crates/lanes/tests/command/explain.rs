//! `lanes explain`.

use std::fs;

use serde_json::Value;

use crate::{changed, manifest, published, run};

#[test]
fn explain_gives_the_published_lanes_and_chains() {
    let published = published();
    let users = [
        ("jessie", "s2", "bucket 16 of 100", ["s1", "s1", "s2"]),
        ("jack", "s2", "bucket 2 of 100", ["s1", "s1", "s2"]),
        ("bob", "s1", "bucket 44 of 100", ["s1", "s1", "s1"]),
        ("stacy", "s1", "bucket 25 of 100", ["s1", "s1", "s1"]),
        ("vance", "s1", "bucket 54 of 100", ["s1", "s1", "s1"]),
        ("jason", "s2", "the route `jason` sends it there, whatever its tag", ["s1", "s1", "s2"]),
    ];
    for (user, lane, because, chain) in users {
        let (status, stdout, _) = run(&["explain", &published, "--user", user, "--format", "json"]);
        assert_eq!(status, 0);
        let explanation: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(explanation.get("lane").unwrap(), lane, "{user}");
        assert_eq!(explanation.get("because").unwrap(), because, "{user}");
        let hops = explanation.get("chain").unwrap().as_array().unwrap();
        let hops: Vec<&str> = hops.iter().map(|hop| hop.get("lane").unwrap().as_str().unwrap()).collect();
        assert_eq!(hops, chain, "{user}");
    }
}

/// Nobody knows the id before, so it is the split that is told; with the cookie it is known.
#[test]
fn a_visitor_without_an_identity_is_told_the_split_and_with_the_cookie_the_lane() {
    let folder = tempfile::tempdir().unwrap();
    let identity = "identity: [{header: x-user-id}, {cookie: lane_uid, issue: {maxAge: 720h}}]";
    let group = changed(&folder, "g.yaml", "identity: [{header: x-user-id}]", identity);
    let (status, stdout, _) = run(&["explain", &group]);
    let told = "lane    none: it has no identity, so the gateway gives it a random one as the cookie `lane_uid`, whose lane it is in: \
        80 % s1, 20 % s2\nroute   everybody\n";
    assert_eq!((status, stdout.as_str()), (0, told));
    for (id, lane, bucket) in [("bob", "s1", 44), ("jessie", "s2", 16)] {
        let (_, stdout, _) = run(&["explain", &group, "--header", &format!("cookie: lane_uid={id}")]);
        assert!(stdout.starts_with(&format!("lane    {lane}: bucket {bucket} of 100\n")), "{stdout}");
    }
}

#[test]
fn explain_follows_source_labels_out_of_the_lane() {
    let folder = tempfile::tempdir().unwrap();
    let group = changed(&folder, "g.yaml", "{trace: {header: x-user-id}}", "sourceLabels");
    let text = fs::read_to_string(&group).unwrap().replace("services: [mockc]", "services: [mocka, mockc]");
    fs::write(&group, text).unwrap();
    let (_, stdout, _) = run(&["explain", &group, "--user", "jessie"]);
    let chain: Vec<&str> = stdout.lines().skip(3).collect();
    assert_eq!(
        chain,
        [
            "chain   mocka  s2       its own lane",
            "        mockb  s1       the lane lacks the service: the baseline answers",
            "        mockc  s1       the lane was lost at a fallback before",
        ]
    );
}

/// A VirtualService has one rule per tag for such a route, and none that takes the rest.
#[test]
fn a_route_by_tag_leaves_untagged_requests_to_the_next_where_they_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let strict = manifest("strict");
    let text = fs::read_to_string(strict).unwrap().replace(", match: [{uri: {exact: /mock}}]", "");
    let text = format!("{}  - {{name: rest, service: mocka, match: [{{uri: {{prefix: /old}}}}], lane: s1}}\n", text);
    let group = folder.path().join("group.yaml");
    fs::write(&group, text).unwrap();
    let group = group.to_str().unwrap();
    assert_eq!(run(&["check", group]).1, "ok: 1 file accepted\n", "the second route is reached");
    let line = |arguments: &[&str]| {
        run(&[&["explain", group], arguments].concat()).1.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(line(&["--path", "/old/1"]), "lane    s1: the route `rest` sends it there, whatever its tag");
    let tagged = ["--path", "/old/1", "--header", "x-asm-prefer-tag: s2"];
    assert_eq!(line(&tagged), "lane    s2: the request brought its tag");
    assert_eq!(line(&[]), "lane    none: it has no tag of this lane group, so the gateway answers 404");
}

#[test]
fn a_request_to_another_host_is_another_lane_groups() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = "{istio: ingressgateway}, hosts: [shop.example.com, \"*.shop.example.com\"]}";
    let group = changed(&folder, "g.yaml", "{istio: ingressgateway}}", hosts);
    let explained = |host: &[&str]| run(&[&["explain", &group, "--user", "jessie"], host].concat()).1;
    for host in [&[][..], &["--host", "Shop.example.com:8080"], &["--host", "a.shop.example.com"]] {
        assert!(explained(host).starts_with("lane    s2: bucket 16 of 100\n"), "{host:?}");
    }
    let line = "lane    none: the gateway does not serve the host for this lane group\n";
    assert_eq!(explained(&["--host", "example.com"]), line);
    let (_, rendered, _) = run(&["render", "istio", &group]);
    assert!(
        rendered.contains("hosts:\n        - shop.example.com\n"),
        "the filter leaves other groups' requests alone"
    );
}

#[test]
fn explain_reads_a_tag_of_two_lines_as_routes_do() {
    let folder = tempfile::tempdir().unwrap();
    let group = changed(&folder, "g.yaml", "  assign:", "  clients: mayChoose\n  assign:");
    let of = |group: &str, tags: &[&str]| {
        let tags = tags.iter().flat_map(|tag| ["--header", *tag]);
        run(&["explain", group].into_iter().chain(tags).collect::<Vec<_>>()).1
    };
    assert!(of(&group, &["x-asm-prefer-tag: s2"]).starts_with("lane    s2: "));
    assert!(of(&group, &["x-asm-prefer-tag: s2", "x-asm-prefer-tag: s1"]).starts_with("lane    s1: it has no tag"));
    let published = published();
    assert!(
        of(&published, &["x-asm-prefer-tag: s2"]).starts_with("lane    s1: it has no tag"),
        "clients may not choose"
    );
}

#[test]
fn explain_does_not_guess_what_is_left_to_chance() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(published()).unwrap();
    let (before, _) = text.split_once("    users:\n").unwrap();
    let group = folder.path().join("g.yaml");
    fs::write(&group, format!("{before}    weights: [{{lane: s1, weight: 80}}, {{lane: s2, weight: 20}}]\n")).unwrap();
    let group = group.to_str().unwrap().to_owned();
    let (_, stdout, _) = run(&["explain", &group, "--header", "x-asm-prefer-tag: s2"]);
    let line = "lane    none: the gateway chooses by chance, whatever the request: 80 % s1, 20 % s2\n";
    assert!(stdout.starts_with(line), "{stdout}");
    let (_, stdout, _) = run(&["explain", &group, "--header", "x-user-id: jason"]);
    assert!(stdout.starts_with("lane    s2: the route `jason`"), "{stdout}");
}
