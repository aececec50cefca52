//! What lane groups are rendered to for Istio. The files themselves are kept below `manifests/`: see `walkthroughs.rs`.

use hash_tagging::Tagger;
use lanes::render::istio::{Images, render, resource};
use serde_json::{Value, json};

use crate::{group, of_kind, resources, walkthroughs::walkthroughs};

fn sidecars(name: &str, changes: &[(&str, &str)]) -> Vec<Value> {
    resources(&group(name, changes))
}

/// The rules of a VirtualService: name, what is retried, and the subsets.
fn rules(resources: &[Value], host: &str) -> Vec<(String, Option<String>, Vec<String>)> {
    let is_it = |service: &&&Value| service["spec"]["hosts"][0] == host;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rule = |rule: &Value| {
        let subsets = rule["route"].as_array().into_iter().flatten();
        let subsets = subsets.filter(|to| to["destination"].get("subset").is_some());
        let retry_on = rule["retries"]["retryOn"].as_str().map(|on| on.replace(NOT_SENT, "not sent"));
        (text(&rule["name"]), retry_on, subsets.map(|to| text(&to["destination"]["subset"])).collect())
    };
    let services = of_kind(resources, "VirtualService");
    services.iter().find(is_it).unwrap()["spec"]["http"].as_array().unwrap().iter().map(rule).collect()
}

/// The rule for the ports that are not in the lanes.
fn other_ports() -> (String, Option<String>, Vec<String>) {
    ("other-ports".to_owned(), None, Vec::new())
}

const NOT_SENT: &str = "connect-failure,refused-stream";
const MOCKC: &str = "mockc.default.svc.cluster.local";

#[test]
fn files_are_in_the_order_of_application() {
    for name in walkthroughs() {
        let files = render(&group(&name, &[]), &Images::default()).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name).collect();
        assert!(names.is_sorted());
        for file in &files {
            let labels = json!({
                resource::MANAGED_BY: "lanes",
                resource::GROUP: name,
                resource::GROUP_NAMESPACE: "default",
                resource::STAGE: file.stage.name(),
            });
            let resources: Vec<Value> = serde_saphyr::from_multiple(&file.to_string()).unwrap();
            assert!(resources.iter().all(|resource| resource["metadata"]["labels"] == labels), "{}", file.name);
        }
        assert!(files.is_sorted_by_key(|file| file.stage));
    }
}

#[test]
fn the_filter_accepts_its_configuration() {
    for (version, kind, field) in [
        (None, "WasmPlugin", "/spec/pluginConfig"),
        (Some("1.29"), "WasmPlugin", "/spec/pluginConfig"),
        (Some("1.30"), "TrafficExtension", "/spec/wasm/pluginConfig"),
    ] {
        let mesh = version.map(|version| format!("  mesh: {{istio: \"{version}\"}}\n  mode: permissive"));
        let changes: Vec<(&str, &str)> = mesh.iter().map(|mesh| ("  mode: permissive", mesh.as_str())).collect();
        let all = sidecars("user-segment", &changes);
        let plugins = of_kind(&all, kind);
        let is_tagging = |plugin: &&&Value| plugin["spec"]["phase"] == "AUTHZ";
        let config = plugins.iter().find(is_tagging).unwrap().pointer(field).unwrap();
        let tagger = Tagger::parse(config.to_string().as_bytes()).unwrap();
        assert_eq!(tagger.warnings(), []);
        let others: Vec<&Value> =
            plugins.iter().filter(|plugin| !is_tagging(plugin)).filter_map(|p| p.pointer(field)).collect();
        assert_eq!(others, vec![&json!({"traceHeader": "x-user-id", "routeHeaders": ["x-asm-prefer-tag"]}); 2]);
    }
}

#[test]
fn a_permissive_lane_is_replaced_by_an_aggregate_of_its_name() {
    let all = sidecars("permissive-baggage", &[]);
    let filters = of_kind(&all, "EnvoyFilter");
    assert_eq!(filters.len(), 3);
    let patches = filters[2]["spec"]["configPatches"].as_array().unwrap();
    let said = patches
        .iter()
        .map(|patch| (patch["patch"]["operation"].as_str().unwrap(), patch["match"]["context"].as_str().unwrap()));
    assert_eq!(said.collect::<Vec<_>>(), [("REMOVE", "ANY"), ("ADD", "ANY"), ("REMOVE", "ANY"), ("ADD", "ANY")]);
    for (lane, pair) in ["v2", "v3"].iter().zip(patches.chunks(2)) {
        assert_eq!(pair[0]["match"]["cluster"], json!({"service": MOCKC, "portNumber": 8000, "subset": lane}));
        let cluster = &pair[1]["patch"]["value"];
        assert_eq!(cluster["name"], format!("outbound|8000|{lane}|{MOCKC}"));
        let members = [format!("outbound|8000|{lane}-only|{MOCKC}"), format!("outbound|8000|v1|{MOCKC}")];
        assert_eq!(cluster["cluster_type"]["typed_config"]["clusters"], json!(members));
        assert_eq!(cluster["common_lb_config"]["healthy_panic_threshold"]["value"], 0);
        assert_eq!(cluster["circuit_breakers"]["thresholds"][0]["max_retries"], u32::MAX);
        assert_eq!(cluster.get("typed_extension_protocol_options"), None);
    }
    let subsets = of_kind(&all, "DestinationRule")[2]["spec"]["subsets"].as_array().unwrap();
    let names: Vec<&Value> = subsets.iter().map(|subset| &subset["name"]).collect();
    assert_eq!(names, ["v1", "v2-only", "v2", "v3-only", "v3"]);
}

#[test]
fn http2_is_said_of_the_aggregate_too() {
    for protocol in ["http2", "grpc"] {
        let to = format!("mockc, port: 8000, protocol: {protocol}");
        let all = sidecars("user-segment", &[("mockc, port: 8000", &to)]);
        let cluster = &of_kind(&all, "EnvoyFilter")[2]["spec"]["configPatches"][1]["patch"]["value"];
        let options =
            &cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
        assert_eq!(options["explicit_http_config"], json!({"http2_protocol_options": {}}));
    }
}

#[test]
fn retries_are_as_the_group_says() {
    let rule = |name: &str, retry_on: Option<&str>, subset: &str| {
        (name.to_owned(), retry_on.map(ToOwned::to_owned), vec![subset.to_owned()])
    };
    let idempotent = [
        rule("s2-idempotent", Some("not sent,unavailable,cancelled,reset,503"), "s2"),
        rule("s2", Some("not sent"), "s2"),
        rule("baseline", None, "s1"),
        other_ports(),
    ];
    assert_eq!(rules(&sidecars("user-segment", &[]), MOCKC), idempotent);
    let with = |retries: &str| {
        sidecars("user-segment", &[("  baseline: s1", &format!("  retries: {retries}\n  baseline: s1"))])
    };
    let always = [
        rule("s2", Some("not sent,unavailable,cancelled,reset,503"), "s2"),
        rule("baseline", None, "s1"),
        other_ports(),
    ];
    assert_eq!(rules(&with("always"), MOCKC), always);
    let never = with("never");
    let attempts = |service: &&Value| {
        service["spec"]["http"].as_array().unwrap().iter().map(|rule| rule["retries"].clone()).collect::<Vec<_>>()
    };
    let attempts: Vec<Value> = of_kind(&never, "VirtualService").iter().flat_map(attempts).collect();
    let (as_before, never): (Vec<&Value>, Vec<&Value>) = attempts.iter().partition(|retries| retries.is_null());
    assert_eq!((as_before.len(), never), (3, vec![&json!({"attempts": 0}); attempts.len() - 3]));
}

#[test]
fn strict_lanes_do_not_fall_back() {
    let all = sidecars("strict", &[]);
    assert!(of_kind(&all, "EnvoyFilter").is_empty() && of_kind(&all, "WasmPlugin").is_empty());
    let subsets = of_kind(&all, "DestinationRule")[0]["spec"]["subsets"].as_array().unwrap();
    assert_eq!(subsets.iter().map(|subset| &subset["name"]).collect::<Vec<_>>(), ["s1", "s2", "s3"]);
    let hops: Vec<String> = rules(&all, MOCKC).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(hops, ["s1", "s2", "s3", "untagged", "other-ports"]);
    let untagged = &of_kind(&all, "VirtualService")[2]["spec"]["http"][3];
    assert_eq!(untagged["match"], json!([{"port": 8000}]), "a caller of no lane");
    assert_eq!(untagged["directResponse"], json!({"status": 404}));
    let ingress = &of_kind(&all, "VirtualService")[3]["spec"]["http"];
    assert_eq!(
        ingress[1]["match"],
        json!([{"uri": {"exact": "/mock"}, "headers": {"x-asm-prefer-tag": {"exact": "s2"}}}])
    );
}

#[test]
fn whoever_decides_at_the_gateway_sets_the_tag() {
    let all = sidecars("user-segment", &[]);
    let ingress = &of_kind(&all, "VirtualService")[3]["spec"]["http"];
    assert_eq!(ingress[0]["route"][0]["headers"], json!({"request": {"set": {"x-asm-prefer-tag": "s2"}}}));
    assert_eq!(ingress[2]["route"][0].get("headers"), None, "the filter has set it");

    let all = sidecars("permissive-baggage", &[]);
    let ingress = &of_kind(&all, "VirtualService")[3]["spec"]["http"];
    let of = |to: &Value| (to["weight"].as_u64().unwrap(), to["headers"]["request"]["set"]["version"].clone());
    for (number, lane) in ["v1", "v2", "v2", "v3", "v3"].iter().enumerate() {
        let set = &ingress[number]["route"][0]["headers"]["request"]["set"];
        assert_eq!(set, &json!({"version": lane}), "{}", ingress[number]["name"]);
    }
    assert_eq!(ingress.as_array().unwrap().len(), 7);
    for rule in ingress.as_array().unwrap().iter().skip(5) {
        let shares: Vec<_> = rule["route"].as_array().unwrap().iter().map(of).collect();
        assert_eq!(shares, [(40, json!("v1")), (30, json!("v2")), (30, json!("v3"))]);
    }
}

#[test]
fn a_condition_on_the_route_header_chooses_among_the_lanes() {
    let names = |condition: &str| {
        let route =
            format!("{{name: everybody, service: mocka, match: [{{headers: {{X-Asm-Prefer-Tag: {condition}}}}}]}}");
        let all = sidecars("user-segment", &[("{name: everybody, service: mocka}", &route)]);
        rules(&all, "*").into_iter().skip(2).map(|(name, ..)| name).collect::<Vec<_>>()
    };
    assert_eq!(names("{prefix: s}"), ["everybody-s2-idempotent", "everybody-s2", "everybody-baseline"]);
    assert_eq!(names("{prefix: t}"), ["everybody-baseline"], "an unknown tag goes to the baseline");
}

#[test]
fn waypoints_get_additions_only() {
    let all = sidecars(
        "user-segment",
        &[("{trace: {header: x-user-id}}", "application"), ("  mode:", "  mesh: {ambient: true}\n  mode:")],
    );
    let filters = of_kind(&all, "EnvoyFilter");
    let patches = |filter: &&&Value| filter["spec"]["configPatches"].as_array().unwrap().clone();
    assert!(filters.iter().flat_map(|filter| patches(&filter)).all(|patch| patch["patch"]["operation"] == "ADD"));
    let waypoint = &filters.last().unwrap()["spec"];
    assert_eq!(
        waypoint["targetRefs"],
        json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}])
    );
    let patch = &waypoint["configPatches"][2];
    assert_eq!(patch["match"], json!({"context": "SIDECAR_INBOUND"}));
    assert_eq!(patch["patch"]["value"]["name"], format!("inbound-vip|8000|http/s2|{MOCKC}"));
    let clusters = [format!("inbound-vip|8000|http/s2-only|{MOCKC}"), format!("inbound-vip|8000|http/s1|{MOCKC}")];
    assert_eq!(patch["patch"]["value"]["cluster_type"]["typed_config"]["clusters"], json!(clusters));
    let subsets = of_kind(&all, "DestinationRule")[2]["spec"]["subsets"].as_array().unwrap();
    assert_eq!(subsets.iter().map(|subset| &subset["name"]).collect::<Vec<_>>(), ["s1", "s2-only"]);
    let analyzed = &of_kind(&all, "VirtualService")[0]["metadata"]["annotations"];
    assert_eq!(analyzed["galley.istio.io/analyze-suppress"], "IST0101");
}
