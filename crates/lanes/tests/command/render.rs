//! `lanes render`.

use std::fs;

use serde_json::{Value, json};

use crate::{changed, manifest, published, run};

/// By the name of the other module's resource, so that a group that comes to issue ids changes it.
#[test]
fn a_group_that_issues_ids_has_the_module_that_sees_responses() {
    let folder = tempfile::tempdir().unwrap();
    let identity = "identity: [{header: x-user-id}, {cookie: lane_uid, issue: {maxAge: 720h}}]";
    let group = &changed(&folder, "g.yaml", "identity: [{header: x-user-id}]", identity);
    let image = ["--image", "oci://example.com/{module}:1", "--no-resolve"];
    for render in [&["istio", group][..], &["istio", group, "--routing", "gateway-api"], &["higress", group]] {
        let (status, stdout, stderr) = run(&[&["render"], render, &image].concat());
        assert_eq!(status, 0, "{stderr}");
        for line in [
            "url: oci://example.com/hash-tagging-cookie:1",
            "issueMaxAgeSeconds: 2592000",
            "name: default.user-segment.hash-tagging",
        ] {
            assert!(stdout.lines().any(|found| found.trim_start() == line), "{line}\n{stdout}");
        }
    }
    let output = folder.path().join("envoy");
    let (status, _, stderr) = run(&["render", "envoy", group, "--output", output.to_str().unwrap()]);
    assert_eq!(status, 0, "{stderr}");
    let filter = fs::read_to_string(output.join("hash-tagging.yaml")).unwrap();
    assert!(filter.contains("/hash_tagging_cookie.wasm\n"), "{filter}");
}

#[test]
fn render_prints_in_one_order_and_deletes_in_the_other() {
    let published = published();
    let (status, applied, note) = run(&["render", "istio", &published]);
    assert_eq!(status, 0);
    assert!(note.contains("the modules' url is a placeholder"), "{note}");
    let (_, deleted, _) = run(&["render", "istio", &published, "--delete"]);
    let names = |text: &str| {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        let name = |document: &Value| format!("{}/{}", document["kind"], document["metadata"]["name"]);
        documents.iter().map(name).collect::<Vec<_>>()
    };
    let (applied, mut deleted) = (names(&applied), names(&deleted));
    assert_eq!(deleted.first().unwrap(), "\"WasmPlugin\"/\"default.user-segment.hash-tagging\"");
    deleted.reverse();
    assert_eq!(applied, deleted);
}

#[test]
fn render_writes_a_folder_and_leaves_nothing_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("lanes");
    let image = ["--image", "oci://example.com/{module}:1", "--no-resolve", "--istio", "1.30"];
    let files = |group: &str| {
        let group = manifest(group);
        let render = ["render", "istio", &group, "--output", output.to_str().unwrap()];
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
    let tagging = fs::read_to_string(output.join("60-hash-tagging.yaml")).unwrap();
    assert!(tagging.contains("url: oci://example.com/hash-tagging:1\n"), "{tagging}");
    let strict = ["10-destination-rules.yaml", "40-virtual-services.yaml", "50-gateway.yaml", "kustomization.yaml"];
    fs::write(output.join("60-hash-tagging.yaml"), "# somebody's own\n").unwrap();
    fs::write(output.join("lane-group.yaml"), "# somebody's own\n").unwrap();
    fs::remove_file(output.join("50-gateway.yaml")).unwrap();
    let (mut kept, own) = (files("strict"), ["60-hash-tagging.yaml", "lane-group.yaml"]);
    kept.retain(|name| !own.contains(&name.as_str()));
    assert_eq!(kept, strict);
    assert_eq!(fs::read_to_string(output.join("lane-group.yaml")).unwrap(), "# somebody's own\n");
    let group = published();
    let (status, _, stderr) = run(&["render", "istio", &group, "--output", output.to_str().unwrap()]);
    assert_eq!(status, 2);
    assert!(stderr.contains("60-hash-tagging.yaml was not written by `lanes render`"), "{stderr}");
    assert_eq!(fs::read_to_string(output.join("60-hash-tagging.yaml")).unwrap(), "# somebody's own\n");
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
        let (status, stdout, stderr) = run(&[&["render", "istio", &published], options].concat());
        assert_eq!((status, stdout.as_str()), (2, ""));
        assert!(stderr.contains(expected), "{stderr}");
    };
    refused(&["--ambient"], "with `ambient` only `application` is possible");
    refused(&["--ambient", "--routing", "gateway-api"], "so no lane could fall back");
    refused(&["--istio", "1.27"], "expected 1.28, 1.29, 1.30 or 1.31, not `1.27`");
    refused(&["--image", "oci://example.com/one:1"], "the lane group needs two modules");
    refused(&["--sha256", "hash-tag=0"], "there is no module `hash-tag`");
    refused(&["--sha256", "hash-tagging=0"], "expected 64 hexadecimal digits");
    refused(&["--delete", "--output", "x"], "cannot be used with");
}

#[test]
fn render_prints_for_programs() {
    let group = &published();
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
    let render = ["render", "envoy", &group, "--format", "json"];
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
