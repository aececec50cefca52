//! The tool as a user calls it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

fn published() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../manifests/user-segment/lane-group.yaml"].iter().collect()
}

fn lanes(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanes"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    told(lanes(arguments).output().unwrap())
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The published group with other text in it.
fn changed(folder: &TempDir, name: &str, from: &str, to: &str) -> String {
    let text = fs::read_to_string(published()).unwrap();
    assert!(text.contains(from));
    let path = folder.path().join(name);
    fs::write(&path, text.replace(from, to)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn check_says_by_its_status_whether_anything_is_wrong() {
    let published = published();
    let (status, stdout, _) = run(&["check", published.to_str().unwrap()]);
    assert_eq!((status, stdout.as_str()), (0, "ok: 1 file accepted\n"));

    let folder = tempfile::tempdir().unwrap();
    let broken = changed(&folder, "broken.yaml", "baseline: s1", "baseline: s0");
    let (status, stdout, _) = run(&["check", published.to_str().unwrap(), &broken]);
    assert_eq!(status, 1);
    let line = format!("{broken}:11:3: error: spec.baseline: there is no lane `s0`: there are `s1`, `s2`\n");
    assert!(stdout.starts_with(&line), "{stdout}");

    let (status, _, stderr) = run(&["check", "no/such/file.yaml"]);
    assert_eq!(status, 2);
    assert!(stderr.starts_with("error: failed to read no/such/file.yaml"), "{stderr}");
}

#[test]
fn check_reads_standard_input_and_writes_json() {
    let mut child =
        lanes(&["check", "-", "--format", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"rules: []\n").unwrap();
    let (status, stdout, _) = told(child.wait_with_output().unwrap());
    assert_eq!(status, 1);
    let expected = json!([{"file": "-", "line": 1, "column": 1, "severity": "error", "path": "rules",
        "message": "expected at least one rule"}]);
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), expected);
}

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
        let (status, stdout, _) = run(&["explain", published.to_str().unwrap(), "--user", user, "--format", "json"]);
        assert_eq!(status, 0);
        let explanation: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(explanation.get("lane").unwrap(), lane, "{user}");
        assert_eq!(explanation.get("because").unwrap(), because, "{user}");
        let hops = explanation.get("chain").unwrap().as_array().unwrap();
        let hops: Vec<&str> = hops.iter().map(|hop| hop.get("lane").unwrap().as_str().unwrap()).collect();
        assert_eq!(hops, chain, "{user}");
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
    let strict = published().parent().unwrap().with_file_name("strict").join("lane-group.yaml");
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
fn check_compares_the_groups_of_all_files() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(&folder, "other.yaml", "name: user-segment", "name: other");
    let (status, stdout, _) = run(&["check", published().to_str().unwrap(), &other]);
    assert_eq!(status, 1);
    assert!(stdout.ends_with("\n4 errors, 3 warnings\n"), "{stdout}");
    assert!(stdout.contains("`mocka` is a service of the lane group `user-segment` as well"), "{stdout}");
}

#[test]
fn explain_reads_a_tag_of_two_lines_as_routes_do() {
    let published = published();
    let of = |tags: &[&str]| {
        let tags = tags.iter().flat_map(|tag| ["--header", *tag]);
        run(&["explain", published.to_str().unwrap()].into_iter().chain(tags).collect::<Vec<_>>()).1
    };
    assert!(of(&["x-asm-prefer-tag: s2"]).starts_with("lane    s2: "));
    assert!(of(&["x-asm-prefer-tag: s2", "x-asm-prefer-tag: s1"]).starts_with("lane    s1: it has no tag"));
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

#[test]
fn a_ramp_is_told_apart_from_a_reshuffle() {
    let folder = tempfile::tempdir().unwrap();
    let old = published().to_str().unwrap().to_owned();
    let ids = folder.path().join("ids.txt");
    fs::write(&ids, "jessie\r\njack\n\nbob\nstacy\nvance").unwrap();
    let ids = ids.to_str().unwrap();

    let ramped = changed(&folder, "ramped.yaml", "percent: 20", "percent: 50");
    let (status, stdout, _) = run(&["diff", &old, &ramped, "--users", ids]);
    let expected = "s1 -> s2: 30 of 100 buckets, 30.00 %\ns1 -> s2: 2 of 5 users, 40.00 %\n  bob: s1 -> s2\n  \
        stacy: s1 -> s2\n2 of 5 users move\n";
    assert_eq!((status, stdout.as_str()), (0, expected));

    let salted = changed(&folder, "salted.yaml", "hash: fnv1a32", "hash: murmur3\n      salt: a");
    let (status, stdout, _) = run(&["diff", &old, &salted]);
    assert_eq!(status, 1);
    assert_eq!(stdout, "identity, hash, salt or modulo differ: every user may move anywhere\n");

    let (status, stdout, _) = run(&["diff", &old, &old]);
    assert_eq!((status, stdout.as_str()), (0, "no bucket moves\n"));
}

#[test]
fn a_move_between_two_lanes_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let three =
        "{lane: s2, percent: 10, upTo: 20}, {lane: s3, percent: 10, upTo: 40}, {lane: s4, percent: 5, upTo: 40}";
    let lane =
        |name: &str| format!("  - {{name: {name}, labels: {{ASM_TRAFFIC_TAG: {name}}}, services: [mockc]}}\n  routes:");
    let text = fs::read_to_string(published()).unwrap();
    let text = text.replace("  routes:", &lane("s3")).replace("  routes:", &lane("s4"));
    let write = |name: &str, split: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text.replace("{lane: s2, percent: 20}", split)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let now = write("now.yaml", three);
    let ramp = write("ramp.yaml", &three.replace("percent: 10, upTo: 40", "percent: 40, upTo: 40"));
    assert_eq!(run(&["diff", &now, &ramp]).0, 0, "inside its own region");
    let moved = write("moved.yaml", &three.replace("s3", "s5").replace("s4", "s3").replace("s5", "s4"));
    let (status, stdout, _) = run(&["diff", &now, &moved]);
    assert_eq!(status, 1, "{stdout}");
    assert!(stdout.contains("s3 -> s4: 10 of 100 buckets"), "{stdout}");
}

#[test]
fn split_counts_real_ids() {
    let folder = tempfile::tempdir().unwrap();
    let ids = folder.path().join("ids.txt");
    fs::write(&ids, (0..10_000).map(|n| format!("user-{n}\n")).collect::<String>()).unwrap();
    let (status, stdout, _) =
        run(&["split", published().to_str().unwrap(), "--users", ids.to_str().unwrap(), "--format", "json"]);
    assert_eq!(status, 0);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let count = |lane: &str| told.pointer(&format!("/spread/lanes/{lane}")).unwrap().as_u64().unwrap();
    assert_eq!(count("s1") + count("s2"), 10_000);
    assert!((1_800..2_200).contains(&count("s2")), "{told}");
}

#[test]
fn render_prints_in_one_order_and_deletes_in_the_other() {
    let published = published();
    let (status, applied, note) = run(&["render", "istio", published.to_str().unwrap()]);
    assert_eq!(status, 0);
    assert!(note.contains("the modules' url is a placeholder"), "{note}");
    let (_, deleted, _) = run(&["render", "istio", published.to_str().unwrap(), "--delete"]);
    let names = |text: &str| {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        let name = |document: &Value| format!("{}/{}", document["kind"], document["metadata"]["name"]);
        documents.iter().map(name).collect::<Vec<_>>()
    };
    let (applied, mut deleted) = (names(&applied), names(&deleted));
    assert_eq!(deleted.first().unwrap(), "\"WasmPlugin\"/\"default-user-segment-hash-tagging\"");
    deleted.reverse();
    assert_eq!(applied, deleted);
}

#[test]
fn render_writes_a_folder_and_leaves_nothing_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("lanes");
    let image = ["--image", "oci://example.com/{module}:1", "--no-resolve", "--resource", "trafficextension"];
    let files = |group: &str| {
        let group = published().parent().unwrap().with_file_name(group).join("lane-group.yaml");
        let render = ["render", "istio", group.to_str().unwrap(), "--output", output.to_str().unwrap()];
        let (status, stdout, stderr) = run(&[&render[..], &image].concat());
        assert_eq!((status, stdout.as_str(), stderr.as_str()), (0, "", ""));
        let names = fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        let listed = fs::read_to_string(output.join("kustomization.yaml")).unwrap();
        let listed: Value = serde_saphyr::from_str(&listed).unwrap();
        let listed = listed["resources"].as_array().unwrap().clone();
        let is_ours = |name: &&String| fs::read_to_string(output.join(name)).unwrap().starts_with("# Written by");
        let ours: Vec<&String> = names.iter().filter(is_ours).filter(|name| *name != "kustomization.yaml").collect();
        assert_eq!(json!(listed), json!(ours));
        names
    };
    assert_eq!(files("user-segment").len(), 7);
    let tagging = fs::read_to_string(output.join("50-hash-tagging.yaml")).unwrap();
    assert!(tagging.contains("url: oci://example.com/hash-tagging:1\n"), "{tagging}");
    let strict = ["10-destination-rules.yaml", "30-virtual-services.yaml", "40-gateway.yaml", "kustomization.yaml"];
    fs::write(output.join("50-hash-tagging.yaml"), "# somebody's own\n").unwrap();
    fs::write(output.join("lane-group.yaml"), "# somebody's own\n").unwrap();
    fs::remove_file(output.join("40-gateway.yaml")).unwrap();
    let (mut kept, own) = (files("strict"), ["50-hash-tagging.yaml", "lane-group.yaml"]);
    kept.retain(|name| !own.contains(&name.as_str()));
    assert_eq!(kept, strict);
    assert_eq!(fs::read_to_string(output.join("lane-group.yaml")).unwrap(), "# somebody's own\n");
    let group = published();
    let (status, _, stderr) = run(&["render", "istio", group.to_str().unwrap(), "--output", output.to_str().unwrap()]);
    assert_eq!(status, 2);
    assert!(stderr.contains("50-hash-tagging.yaml was not written by `lanes render`"), "{stderr}");
    assert_eq!(fs::read_to_string(output.join("50-hash-tagging.yaml")).unwrap(), "# somebody's own\n");
}

#[test]
fn render_quotes_what_kubectl_would_misread() {
    let folder = tempfile::tempdir().unwrap();
    let group =
        changed(&folder, "g.yaml", "ASM_TRAFFIC_TAG: v2", "ASM_TRAFFIC_TAG: \"1.10\", on: \"yes\", b: \"0123\"");
    let (status, stdout, _) = run(&["render", "istio", &group]);
    assert_eq!(status, 0);
    for quoted in ["ASM_TRAFFIC_TAG: \"1.10\"\n", "\"on\": \"yes\"\n", "b: \"0123\"\n"] {
        assert!(stdout.contains(quoted), "{quoted}: {stdout}");
    }
}

#[test]
fn render_refuses_what_it_cannot_render() {
    let published = published();
    let refused = |options: &[&str], expected: &str| {
        let (status, stdout, stderr) = run(&[&["render", "istio", published.to_str().unwrap()], options].concat());
        assert_eq!((status, stdout.as_str()), (2, ""));
        assert!(stderr.contains(expected), "{stderr}");
    };
    refused(&["--ambient"], "with --ambient only `application` is possible");
    refused(&["--image", "oci://example.com/one:1"], "the lane group needs two modules");
    refused(&["--sha256", "hash-tag=0"], "there is no module `hash-tag`");
    refused(&["--sha256", "hash-tagging=0"], "expected 64 hexadecimal digits");
    refused(&["--delete", "--output", "x"], "cannot be used with");
}

#[test]
fn render_prints_for_programs() {
    let group = published();
    let group = group.to_str().unwrap();
    let of = |target: &str| {
        let (status, stdout, _) = run(&["render", target, group, "--format", "json"]);
        assert_eq!(status, 0);
        serde_json::from_str::<Value>(&stdout).unwrap()
    };
    let istio = of("istio");
    assert_eq!((istio["kind"].as_str(), istio["items"][0]["kind"].as_str()), (Some("List"), Some("DestinationRule")));
    let envoy = of("envoy");
    assert_eq!(envoy["gateway.yaml"]["node"]["id"], "gateway");
    assert_eq!(
        envoy["mockc-s2.yaml"]["static_resources"]["listeners"][0]["address"]["socket_address"]["address"],
        "127.0.3.12"
    );
}

#[test]
fn pods_are_found_by_the_names_of_their_hosts() {
    let group = published();
    let render = ["render", "envoy", group.to_str().unwrap(), "--format", "json"];
    let (status, stdout, _) = run(&[&render[..], &["--host", "{service}.{lane}.example.com"]].concat());
    assert_eq!(status, 0);
    let envoy: Value = serde_json::from_str(&stdout).unwrap();
    let cluster = &envoy["clusters.yaml"]["resources"][1];
    assert_eq!((cluster["type"].as_str(), cluster["dns_refresh_rate"].as_str()), (Some("STRICT_DNS"), Some("1s")));
    assert!(cluster.to_string().contains(r#""address":"mocka.s2.example.com","port_value":8000"#), "{cluster}");
    let sidecar = envoy["mocka-s2.yaml"].to_string();
    assert!(sidecar.contains(r#""address":"0.0.0.0","port_value":8000"#), "others reach it");
    assert!(sidecar.contains(r#""address":"127.0.0.1","port_value":15001"#), "nobody else does");

    let refused = |options: &[&str], expected: &str| {
        let (status, _, stderr) = run(&[&render[..], options].concat());
        assert!(status == 2 && stderr.contains(expected), "{stderr}");
    };
    refused(&["--host", "{service}.example.com"], "expected `{lane}` in the name");
    refused(&["--application-port", "8000"], "the sidecar of mocka listens on port 8000");
}

#[test]
fn man_writes_a_page_for_every_subcommand() {
    let (status, stdout, _) = run(&["man", "render", "istio"]);
    assert_eq!((status, stdout.contains("\n.TH lanes-render-istio 1 ")), (0, true), "{stdout}");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("man1");
    assert_eq!(run(&["man", "--output", output.to_str().unwrap()]), (0, String::new(), String::new()));
    let names: BTreeSet<String> =
        fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(["lanes.1", "lanes-check.1", "lanes-render-istio.1"].iter().all(|page| names.contains(*page)), "{names:?}");
    assert_eq!(fs::read_to_string(output.join("lanes-render-istio.1")).unwrap(), stdout);
    let (status, _, stderr) = run(&["man", "chekc"]);
    assert_eq!(
        (status, stderr.contains("there is no subcommand `chekc`: there are check, explain")),
        (2, true),
        "{stderr}"
    );
}

#[test]
fn usage_errors_have_a_status_of_their_own() {
    assert_eq!(run(&[]).0, 2);
    assert_eq!(run(&["check"]).0, 2);
    assert_eq!(run(&["explain", published().to_str().unwrap(), "--header", "x"]).0, 2);
    assert!(run(&["completion", "bash"]).1.contains("lanes"));
    assert!(run(&["schema"]).1.contains("\"$defs\""));
}
