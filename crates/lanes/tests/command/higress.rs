//! `lanes render higress`.

use serde_json::{Value, json};

use crate::{changed, manifest, names, published, refused, run};

fn rendered(group: &str, options: &[&str]) -> Vec<(String, Value)> {
    crate::rendered(&[&["higress", group], options].concat())
}

#[test]
fn without_a_mesh_only_what_the_routes_lead_to_has_lanes() {
    let all = rendered(&published(), &["--image", "oci://example.com/hash-tagging:1", "--no-resolve"]);
    let expected = [
        "DestinationRule default/mocka-lanes",
        "EnvoyFilter higress-system/default.mocka.lanes",
        "Gateway default/user-segment-ingress",
        "VirtualService default/user-segment-ingress",
        "WasmPlugin higress-system/default.user-segment.hash-tagging",
    ];
    assert_eq!(names(&all), expected);
    let (_, _, note) = run(&["render", "higress", &published()]);
    assert!(note.contains("no route leads to mockb, mockc") && note.contains("--mesh istio"), "{note}");
    let (_, _, note) = run(&["render", "higress", &published(), "--mesh", "istio"]);
    assert!(!note.contains("no route leads"), "{note}");
}

#[test]
fn the_plugin_is_what_istios_is_but_in_higress_own_words() {
    let group = &published();
    let options = ["--image", "oci://example.com/{module}:1", "--no-resolve"];
    let (_, stdout, _) = run(&[&["render", "istio", group, "--stage", "gateway"], &options[..]].concat());
    let istio: Vec<Value> = serde_saphyr::from_multiple(&stdout).unwrap();
    let istio = &istio.last().unwrap()["spec"];
    let (_, higress) = rendered(group, &options).pop().unwrap();
    assert_eq!(higress["apiVersion"], "extensions.higress.io/v1alpha1");
    let spec = &higress["spec"];
    assert_eq!(spec["defaultConfig"], istio["pluginConfig"]);
    for field in ["url", "phase", "failStrategy"] {
        assert_eq!(spec[field], istio[field], "{field}");
    }
    assert!(spec.get("selector").is_none() && spec.get("pluginConfig").is_none(), "{spec:#}");
}

#[test]
fn a_mesh_behind_has_what_istio_has() {
    let group = &published();
    let (_, stdout, _) = run(&["render", "istio", group]);
    let of_higress = rendered(group, &["--mesh", "istio"]);
    let same: Vec<&Value> = of_higress.iter().map(|(_, resource)| resource).collect();
    for resource in serde_saphyr::from_multiple::<Value>(&stdout).unwrap() {
        if resource["metadata"]["labels"]["trafficlanes.dev/stage"] != "gateway" {
            assert!(same.contains(&&resource), "{resource:#}");
        }
    }
    let fallbacks = names(&of_higress).into_iter().filter(|name| name.starts_with("EnvoyFilter higress-system/"));
    assert_eq!(fallbacks.collect::<Vec<_>>(), ["EnvoyFilter higress-system/default.mocka.lanes"]);
}

/// What both control planes need is there once for each, under names of their own.
#[test]
fn no_resource_is_there_twice() {
    let ways: [(&str, &[&str]); 4] = [
        ("user-segment", &["--mesh", "istio"]),
        ("permissive-baggage", &["--mesh", "istio"]),
        ("permissive", &["--mesh", "istio", "--ambient"]),
        ("permissive", &["--mesh", "istio", "--ingress"]),
    ];
    for (walkthrough, options) in ways {
        let all = rendered(&manifest(walkthrough), options);
        let mut once = names(&all);
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len(), "{walkthrough} {options:?}: {:#?}", names(&all));
    }
}

#[test]
fn another_release_of_higress_is_found_by_its_label() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = ("{istio: ingressgateway}", "{higress: edge-gw}, namespace: edge");
    let all = rendered(&changed(&folder, "group.yaml", from, to), &[]);
    assert!(names(&all).contains(&"WasmPlugin edge/default.user-segment.hash-tagging"), "{:?}", names(&all));
    let (_, gateway) = all.iter().find(|(name, _)| name.starts_with("Gateway ")).unwrap();
    assert_eq!(gateway["spec"]["selector"], json!({"higress": "edge-gw"}));
}

#[test]
fn an_ingress_leads_to_the_baseline_and_one_to_each_lane() {
    let all = rendered(&manifest("permissive"), &["--ingress"]);
    let services = names(&all).into_iter().filter(|name| name.starts_with("Service "));
    let expected = ["Service default/mocka-s1", "Service default/mocka-s2", "Service default/mocka-s3"];
    assert_eq!(services.collect::<Vec<_>>(), expected);
    let ingress = |name: &str| {
        let (_, found) = all.iter().find(|(known, _)| *known == format!("Ingress default/{name}")).unwrap();
        let service = &found["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
        let annotation = |name: &str| found["metadata"]["annotations"].get(format!("higress.io/{name}")).cloned();
        (service.clone(), ["canary", "canary-by-header", "canary-by-header-value"].map(annotation))
    };
    let to = |service: &str| json!({"name": service, "port": {"number": 8000}});
    assert_eq!(ingress("default.permissive.everybody"), (to("mocka-s1"), [None, None, None]));
    let canary = ["true", "x-asm-prefer-tag", "s2"].map(|value| Some(json!(value)));
    assert_eq!(ingress("default.permissive.everybody.s2"), (to("mocka-s2"), canary));
}

#[test]
fn hosts_and_paths_are_those_of_the_ingress() {
    let folder = tempfile::tempdir().unwrap();
    let (exact, prefix) = ("{uri: {exact: /cart}}", "{uri: {prefix: /cart/}}");
    let routes = format!(
        "- {{name: pay, service: mocka, match: [{{uri: {{exact: /cart/pay}}}}]}}\n  \
         - {{name: cart, service: mocka, match: [{exact}, {prefix}, {exact}]}}\n  - {{name: everybody"
    );
    let group = std::fs::read_to_string(manifest("permissive")).unwrap();
    let group = group.replace("- {name: everybody", &routes);
    let group = group.replace("ingressgateway}", "x}, hosts: [a.example.com, '*.b.example.com']");
    let file = folder.path().join("group.yaml");
    std::fs::write(&file, group).unwrap();
    let all = rendered(file.to_str().unwrap(), &["--ingress"]);
    for (route, kind, path) in
        [("pay", "Exact", "/cart/pay"), ("cart", "Prefix", "/cart"), ("everybody", "Prefix", "/")]
    {
        for name in [format!("permissive.{route}"), format!("permissive.{route}.s3")] {
            let (_, ingress) = all.iter().find(|(known, _)| known.ends_with(&name)).unwrap();
            let rules = ingress["spec"]["rules"].as_array().unwrap();
            assert_eq!(
                rules.iter().map(|rule| &rule["host"]).collect::<Vec<_>>(),
                ["a.example.com", "*.b.example.com"]
            );
            for rule in rules {
                let paths = rule["http"]["paths"].as_array().unwrap();
                assert_eq!(paths.len(), 1, "{name}");
                assert_eq!((&paths[0]["pathType"], &paths[0]["path"]), (&json!(kind), &json!(path)), "{name}");
            }
        }
    }
}

/// Each by name, with what to do instead.
#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |walkthrough: &str, change: (&str, &str), options: &[&str], expected: &[&str]| {
        refused(&[&["higress"], options].concat(), walkthrough, change, expected);
    };
    let same = ("spec:", "spec:");
    refused("user-segment", same, &["--routing", "gateway-api"], &["spec.mesh.routing: ", "--routing virtual-service"]);
    let reload = ("  mode: permissive", "  mode: permissive\n  filters: {failStrategy: FAIL_RELOAD}");
    refused("user-segment", reload, &[], &["spec.filters.failStrategy: ", "FAIL_OPEN and FAIL_CLOSE only"]);

    let native = ("hash: fnv1a32", "hash: xxh64\n      tagging: native");
    refused("user-segment", native, &[], &["spec.assign.users.tagging: ", "leave it out"]);

    let of_group = ["spec.mode: ", "spec.propagation: ", "spec.untagged: ", "render without --ingress"];
    refused("strict", same, &["--ingress"], &of_group);
    refused("permissive-baggage", same, &["--ingress"], &["spec.assign.weights: ", "spec.routes[0].lane: "]);
    let of_jason = ["spec.routes[0].lane: ", "`assign.users.named`", "spec.routes[0].match[0].headers: "];
    refused("user-segment", same, &["--ingress"], &of_jason);
    let in_group = [
        ("spec.retries: ", "retries: never"),
        ("spec.clients: ", "clients: mayNot"),
        ("spec.untagged: ", "untagged: reject"),
    ];
    for (path, field) in in_group {
        let to = format!("  mode: permissive\n  {field}");
        refused("permissive", ("  mode: permissive", &to), &["--ingress"], &[path, "render without --ingress"]);
    }
    let of_gateway = [
        ("spec.gateway.ref: ", "ref: {name: public, namespace: edge}"),
        ("spec.gateway.ports: ", "port: 8080"),
        ("spec.gateway.ports: ", "ports: [{number: 443, credentialName: shop}]"),
    ];
    for (path, field) in of_gateway {
        let to = format!("ingressgateway}}, {field}");
        refused("permissive", ("ingressgateway}", &to), &["--ingress"], &[path, "render without --ingress"]);
    }
    let of_route = [
        ("timeout: ", "timeout: 5s"),
        ("retries: ", "retries: {attempts: 1}"),
        ("rewrite: ", "rewrite: {authority: a.example.com}"),
        ("cors: ", "cors: {allowOrigins: ['https://a.example.com']}"),
        ("headers: ", "headers: {request: {remove: [x-debug]}}"),
        ("mirror: ", "mirror: {service: mockb, port: 8000, percent: 1}"),
        ("match[0].method: ", "match: [{method: {exact: GET}}]"),
        ("match[0].uri.prefix: ", "match: [{uri: {prefix: /cart}}]"),
        ("match[0].uri.regex: ", "match: [{uri: {regex: /c.*}}]"),
    ];
    for (path, field) in of_route {
        let (from, to) = ("{name: everybody, service: mocka}", format!("{{name: everybody, service: mocka, {field}}}"));
        let path = format!("spec.routes[0].{path}");
        refused("permissive", (from, &to), &["--ingress"], &[&path, "render without --ingress"]);
    }
    let redirect = ("{name: everybody, service: mocka}", "{name: everybody, redirect: {scheme: https}}");
    refused("permissive", redirect, &["--ingress"], &["spec.routes[0].redirect: ", "render without --ingress"]);
    // The document takes the first that matches, an Ingress the longest.
    let everybody = "{name: everybody, service: mocka}";
    let below = "{name: a, service: mocka, match: [{uri: {exact: /b}}, {uri: {prefix: /b/}}]}";
    for (first, second) in [
        ("{name: a, service: mocka}", "match: [{uri: {exact: /b}}]"),
        (below, "match: [{uri: {exact: /b/c}}]"),
        (below, "match: [{uri: {exact: /b/c}}, {uri: {prefix: /b/c/}}]"),
        ("{name: a, service: mocka, match: [{uri: {exact: /b}}]}", "match: [{uri: {exact: /b}}]"),
    ] {
        let routes = format!("{first}\n  - {{name: b, service: mockb, {second}}}");
        let expected = ["spec.routes[1]: ", "the route `a` takes these requests before"];
        refused("permissive", (everybody, &routes), &["--ingress"], &expected);
    }
    let long = ("name: s2,", &*format!("name: {},", "s".repeat(60)));
    refused("permissive", long, &["--ingress"], &["spec.services[0].name: ", "--ingress"]);
}
