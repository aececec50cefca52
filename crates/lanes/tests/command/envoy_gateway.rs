//! `lanes render envoy-gateway`.

use std::fs;

use serde_json::{Value, json};

use crate::{manifest, names, published, refused, rendered, run, with};

const STRICT_USERS: &str = "propagation: application
  assign: {users: {identity: [{header: x-user-id}], split: [{lane: s2, percent: 20}, {lane: s3, percent: 0}]}}";

fn found<'a>(all: &'a [(String, Value)], name: &str) -> &'a Value {
    let found = all.iter().find(|(known, _)| known == name);
    &found.ok_or_else(|| format!("no {name}: {:?}", names(all))).unwrap().1
}

fn rules(all: &[(String, Value)]) -> Vec<&Value> {
    let routes = all.iter().filter(|(name, _)| name.starts_with("HTTPRoute "));
    routes.flat_map(|(_, route)| route["spec"]["rules"].as_array().unwrap()).collect()
}

#[test]
fn a_lane_falls_back_from_one_backend_to_another() {
    let all = rendered(&["envoy-gateway", &published()]);
    let expected = [
        "Service default/mocka-s1",
        "Service default/mocka-s2",
        "Backend default/mocka-s2",
        "Backend default/mocka-s1",
        "BackendTrafficPolicy default/user-segment-ingress.maybe-sent",
        "BackendTrafficPolicy default/user-segment-ingress.not-sent",
        "EnvoyExtensionPolicy default/default.user-segment.filters",
        "Gateway default/user-segment-ingress",
        "HTTPRoute default/user-segment-ingress.maybe-sent",
        "HTTPRoute default/user-segment-ingress.not-sent",
        "HTTPRoute default/user-segment-ingress",
    ];
    assert_eq!(names(&all), expected);
    for (lane, fallback) in [("s2", None), ("s1", Some(&json!(true)))] {
        let spec = &found(&all, &format!("Backend default/mocka-{lane}"))["spec"];
        let host = format!("mocka-{lane}.default.svc.cluster.local");
        assert_eq!(spec["endpoints"], json!([{"fqdn": {"hostname": host, "port": 8000}}]));
        assert_eq!(spec.get("fallback"), fallback);
        // Otherwise the name has one address, whether a pod is behind it or not.
        assert_eq!(found(&all, &format!("Service default/mocka-{lane}"))["spec"]["clusterIP"], "None");
    }
    for rule in rules(&all) {
        let backends: Vec<(&Value, &Value)> = rule["backendRefs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|backend| (&backend["kind"], &backend["name"]))
            .collect();
        let lane = [(&json!("Backend"), &json!("mocka-s2")), (&json!("Backend"), &json!("mocka-s1"))];
        let is_of_baseline = backends == [(&json!("Service"), &json!("mocka-s1"))];
        assert!(backends == lane || is_of_baseline, "{rule:#}");
    }
    for class in ["maybe-sent", "not-sent"] {
        let name = format!("user-segment-ingress.{class}");
        let spec = &found(&all, &format!("BackendTrafficPolicy default/{name}"))["spec"];
        assert_eq!(spec["targetRefs"][0]["name"], json!(name));
        assert_eq!((&spec["healthCheck"]["panicThreshold"], &spec["dns"]["respectDnsTtl"]), (&json!(0), &json!(false)));
        assert_eq!((&spec["retry"]["numRetries"], &spec["retry"]["numAttemptsPerPriority"]), (&json!(2), &json!(2)));
    }
    let (_, _, note) = run(&["render", "envoy-gateway", &published()]);
    assert!(note.contains("no route leads to mockb, mockc"), "{note}");
}

#[test]
fn the_filter_is_that_of_istio_by_its_digest() {
    let digest = "0".repeat(64);
    let images = ["--image", "oci://example.com/{module}:1", "--sha256", &format!("hash-tagging={digest}")];
    let istio = rendered(&[&["istio", &published(), "--stage", "gateway", "--no-resolve"], &images[..]].concat());
    let (_, istio) = istio.last().unwrap();
    let all = rendered(&[&["envoy-gateway", &published()], &images[..]].concat());
    let spec = &found(&all, "EnvoyExtensionPolicy default/default.user-segment.filters")["spec"];
    assert_eq!(
        spec["targetRefs"][0],
        json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "user-segment-ingress"})
    );
    let [wasm] = spec["wasm"].as_array().unwrap().as_slice() else { panic!("{spec:#}") };
    assert_eq!(wasm["config"], istio["spec"]["pluginConfig"]);
    assert_eq!(
        wasm["code"],
        json!({"type": "Image", "image": {"url": "example.com/hash-tagging:1", "sha256": digest}})
    );
    assert_eq!((&wasm["name"], &wasm["failOpen"]), (&json!("hash-tagging"), &json!(true)));
}

#[test]
fn what_fetches_a_module_is_the_documents() {
    let folder = tempfile::tempdir().unwrap();
    let filters = "filters: {image: 'https://example.com/{module}.wasm', failStrategy: FAIL_CLOSE, pullPolicy: Always}";
    let baggage = ("propagation: {trace: {header: x-user-id}}", "propagation: {baggage: {}}");
    let group =
        with(&folder, "user-segment", &[("  mode: permissive", &format!("  mode: permissive\n  {filters}")), baggage]);
    let all = rendered(&["envoy-gateway", &group]);
    let wasm = &found(&all, "EnvoyExtensionPolicy default/default.user-segment.filters")["spec"]["wasm"];
    // What takes the client's tag away comes before what writes one.
    assert_eq!((&wasm[0]["name"], &wasm[1]["name"]), (&json!("baggage-strip"), &json!("hash-tagging")));
    assert_eq!(wasm[0]["config"]["direction"], "strip");
    let url = json!("https://example.com/hash-tagging.wasm");
    assert_eq!(wasm[1]["code"], json!({"type": "HTTP", "http": {"url": url}, "pullPolicy": "Always"}));
    assert_eq!(wasm[1]["failOpen"], json!(false));
}

/// Envoy Gateway has the filter where a route enables it: without a route for those who have no tag yet, nobody would get one.
#[test]
fn every_request_has_a_route_that_runs_the_filter() {
    let folder = tempfile::tempdir().unwrap();
    let group = with(
        &folder,
        "strict",
        &[
            ("  mode: strict", &format!("  mode: strict\n  {STRICT_USERS}")),
            ("percent: 20}", "percent: 20, upTo: 50}"),
            ("percent: 0}", "percent: 0, upTo: 50}"),
        ],
    );
    let all = rendered(&["envoy-gateway", &group]);
    assert_eq!(
        found(&all, "HTTPRouteFilter default/strict-not-found")["spec"],
        json!({"directResponse": {"statusCode": 404}})
    );
    let rules = rules(&all);
    let last = rules.last().unwrap();
    assert_eq!(last["matches"], json!([{"path": {"type": "PathPrefix", "value": "/"}}]));
    assert_eq!(last["filters"][0]["extensionRef"]["name"], "strict-not-found");
    assert!(
        !names(&all).iter().any(|name| name.starts_with("Backend")),
        "strict lanes do not fall back: {:?}",
        names(&all)
    );
    // Nothing runs where clients bring the tag.
    let all = rendered(&["envoy-gateway", &manifest("strict")]);
    assert!(
        names(&all).iter().all(|name| ["Service ", "Gateway ", "HTTPRoute "].iter().any(|kind| name.starts_with(kind)))
    );
}

#[test]
fn a_gateway_that_exists_is_only_referred_to() {
    let folder = tempfile::tempdir().unwrap();
    let group = with(&folder, "user-segment", &[("gateway: {", "gateway: {ref: {name: public, namespace: edge}, ")]);
    let all = rendered(&["envoy-gateway", &group]);
    assert!(!names(&all).iter().any(|name| name.starts_with("Gateway ")), "{:?}", names(&all));
    // A policy is attached to what is in its namespace.
    assert_eq!(
        found(&all, "EnvoyExtensionPolicy edge/default.user-segment.filters")["spec"]["targetRefs"][0]["name"],
        "public"
    );
    let group = with(&folder, "user-segment", &[("spec:", "spec:")]);
    let all = rendered(&["envoy-gateway", &group, "--class", "other"]);
    assert_eq!(found(&all, "Gateway default/user-segment-ingress")["spec"]["gatewayClassName"], "other");
}

#[test]
fn pods_are_reached_on_their_own_port_and_in_their_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let ports = "{name: mocka, namespace: shop, ports: [{number: 80, targetPort: 8080}, {number: 90, protocol: grpc}]}";
    let routes = "- {name: calls, service: mocka, port: 90, match: [{uri: {prefix: /calls}}]}\n  - {name: everybody, service: mocka, port: 80}";
    let group = with(
        &folder,
        "permissive",
        &[("{name: mocka, port: 8000}", ports), ("- {name: everybody, service: mocka}", routes)],
    );
    let all = rendered(&["envoy-gateway", &group]);
    let backend = |name: &str| &found(&all, &format!("Backend shop/{name}"))["spec"];
    assert_eq!(backend("mocka-s2.80")["endpoints"][0]["fqdn"]["port"], 8080);
    assert_eq!(backend("mocka-s2.90")["endpoints"][0]["fqdn"]["port"], 90);
    assert_eq!(backend("mocka-s1.90")["appProtocols"], json!(["gateway.envoyproxy.io/h2c"]));
    assert_eq!(backend("mocka-s1.80").get("appProtocols"), None);
    let service = &found(&all, "Service shop/mocka-s1")["spec"];
    assert_eq!(service["ports"][1]["appProtocol"], "kubernetes.io/h2c");
    let granted = found(&all, "ReferenceGrant shop/default.permissive.ingress")["spec"]["to"].as_array().unwrap();
    for rule in rules(&all) {
        for to in rule["backendRefs"].as_array().unwrap() {
            assert_eq!(to["namespace"], "shop");
            assert!(
                granted.iter().any(|granted| (&granted["kind"], &granted["name"]) == (&to["kind"], &to["name"])),
                "{to}"
            );
        }
    }
}

#[test]
fn deleted_is_what_was_applied_from_its_end() {
    let mut applied = rendered(&["envoy-gateway", &published()]);
    applied.reverse();
    assert_eq!(rendered(&["envoy-gateway", &published(), "--delete"]), applied);
}

/// Each by name, with what to do instead.
#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |walkthrough: &str, change: (&str, &str), expected: &[&str]| {
        refused(&["envoy-gateway"], walkthrough, change, expected);
    };
    let field = |field: &str| format!("  mode: permissive\n  {field}");
    let filters = [
        ("filters: {failStrategy: FAIL_RELOAD}", "spec.filters.failStrategy: ", "FAIL_OPEN or FAIL_CLOSE"),
        ("filters: {phase: STATS}", "spec.filters.phase: ", "leave it out"),
        ("filters: {priority: 1}", "spec.filters.priority: ", "leave it out"),
        ("filters: {image: 'file:///hash-tagging.wasm'}", "spec.filters.image: ", "use `oci` or `https`"),
    ];
    for (given, path, remedy) in filters {
        refused("user-segment", ("  mode: permissive", &field(given)), &[path, remedy]);
    }
    let native = ("hash: fnv1a32", "hash: xxh64\n      tagging: native");
    refused("user-segment", native, &["spec.assign.users.tagging: ", "leave it out"]);
    refused("permissive-baggage", ("spec:", "spec:"), &["spec.assign.weights: ", "use `users`, or `mode: strict`"]);
    let mirrored = ("services: [mockb]}", "services: [mocka, mockb, mockc], mirror: {percent: 1}}\n  clients: mayNot");
    refused("permissive", mirrored, &["spec.lanes: ", "lane s3 cannot get copies"]);
    let named = ("{name: mocka, port: 8000}", "{name: mocka, port: 8000, targetPort: web}");
    refused("permissive", named, &["spec.services[0].targetPort: ", "say its number"]);
    let everybody = "{name: everybody, service: mocka}";
    let route = |field: &str| format!("{{name: everybody, service: mocka, {field}}}");
    let retries = route("retries: {attempts: 1, retryOn: '5xx,retriable-headers'}");
    refused(
        "permissive",
        (everybody, &retries),
        &["spec.routes[0].retries.retryOn: ", "does not know `retriable-headers`"],
    );
    let rewrite = route("match: [{uri: {prefix: /a}}], rewrite: {uri: /b}");
    refused("permissive", (everybody, &rewrite), &["spec.routes[0].rewrite.uri: ", "with Envoy Gateway"]);
    let long = format!("name: {},", "s".repeat(60));
    refused("permissive", ("name: s2,", &long), &["spec.services[0].name: ", "with Envoy Gateway"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("group.yaml");
    let text = fs::read_to_string(manifest("permissive")).unwrap();
    let text = text
        .replace("  gateway: {selector: {istio: ingressgateway}}\n", "")
        .replace("  routes:\n  - {name: everybody, service: mocka}", "");
    fs::write(&file, text).unwrap();
    let (status, _, stderr) = run(&["render", "envoy-gateway", file.to_str().unwrap()]);
    assert!(status == 2 && stderr.contains("spec.gateway: ") && stderr.contains("add `gateway: {}`"), "{stderr}");
}
