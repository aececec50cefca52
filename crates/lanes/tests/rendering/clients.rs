//! Whether clients may choose a lane: what the gateway is told, in every rendering, and what is said of a request that brings
//! a tag.

use header_edit::HeaderList;
use lanes::{
    check::check,
    document::{Clients, LaneGroup, Routing},
    explain::explain,
    file,
    render::envoy,
};
use serde_json::{Value, json};

use crate::by;

const TAG: &str = "x-asm-prefer-tag";
const USERS: &str = "  assign: {users: {identity: [{header: x-user-id}], split: [{lane: s2, percent: 20}]}}\n";
const WEIGHTS: &str = "  assign: {weights: [{lane: s1, weight: 80}, {lane: s2, weight: 20}]}\n";
const STRIP: &str = "shop.shop.baggage-strip";
const MAY: &str = "  clients: mayChoose\n";
const MAY_NOT: &str = "  clients: mayNot\n";

fn group(rest: &[&str]) -> LaneGroup {
    let text = [
        include_str!("../../../../tests/testdata/clients.yaml"),
        "  - {name: by-tag, service: web, match: [{headers: {X-Asm-Prefer-Tag: {exact: s2}}}]}\n",
        "  - {name: everybody, service: web}\n",
        &rest.concat(),
    ]
    .concat();
    let mut read = file::read("group", &text);
    assert!(read.groups.len() == 1, "{:?}", read.findings);
    read.groups.remove(0)
}

/// The resources of Istio.
fn resources(group: &LaneGroup, routing: Routing) -> Vec<Value> {
    crate::resources(&by(routing, group.clone()))
}

fn named<'a>(resources: &'a [Value], name: &str) -> Option<&'a Value> {
    resources.iter().find(|resource| resource["metadata"]["name"] == name)
}

/// The rules of the VirtualService at the gateway.
fn ingress(group: &LaneGroup) -> Vec<Value> {
    let all = resources(group, Routing::VirtualService);
    let routes = all.iter().find(|resource| resource["spec"]["gateways"].is_array()).unwrap();
    routes["spec"]["http"].as_array().unwrap().clone()
}

fn envoy_file(group: &LaneGroup, name: &str) -> Option<Value> {
    let files = envoy::render(group, &envoy::Options::default()).unwrap();
    files.iter().find(|file| file.name == name).map(|file| serde_saphyr::from_str(&file.text).unwrap())
}

/// What is asked of the route header, at any route of the gateway.
fn asks_for_the_tag(routes: &Value) -> bool {
    match routes {
        Value::Object(fields) => {
            let is_it = |name: &Value| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(TAG));
            let of_headers = fields.get("headers").is_some_and(|headers| match headers {
                Value::Array(all) => all.iter().any(|header| is_it(&header["name"])),
                Value::Object(all) => all.keys().any(|name| name == TAG),
                _ => false,
            });
            of_headers || fields.values().any(asks_for_the_tag)
        }
        Value::Array(all) => all.iter().any(asks_for_the_tag),
        _ => false,
    }
}

#[test]
fn a_group_that_assigns_lanes_lets_no_client_choose_unless_it_says_so() {
    let clients = |rest: &[&str]| group(rest).spec.clients();
    assert_eq!([clients(&[USERS]), clients(&[WEIGHTS])], [Clients::MayNot; 2]);
    assert_eq!([clients(&[]), clients(&[USERS, MAY]), clients(&[WEIGHTS, MAY])], [Clients::MayChoose; 3]);
    assert_eq!(clients(&[MAY_NOT]), Clients::MayNot);
}

#[test]
fn hash_tagging_is_told() {
    let config = |rest: &[&str]| lanes::tagging::plugin_config(&group(rest).spec).unwrap();
    assert_eq!(config(&[USERS])["clients"], "mayNot");
    assert_eq!(config(&[USERS, MAY]).get("clients"), None);
    // Another group's filter may have tagged what is for other hosts.
    let mut with_hosts = group(&[USERS]);
    with_hosts.spec.gateway.as_mut().unwrap().hosts = vec!["shop.example.com".to_owned()];
    let config = lanes::tagging::plugin_config(&with_hosts.spec).unwrap();
    assert_eq!(config.get("clients"), None);
    let rule = &config["rules"][0];
    assert_eq!((&rule["match"], &rule["incoming"]), (&json!({"hosts": ["shop.example.com"]}), &json!("strip")));
    with_hosts.spec.clients = Some(Clients::MayChoose);
    assert_eq!(lanes::tagging::plugin_config(&with_hosts.spec).unwrap()["rules"][0].get("incoming"), None);
}

#[test]
fn without_a_filter_that_tags_no_route_asks_for_the_tag() {
    for (rest, asks) in [
        (&[][..], true),
        (&[MAY_NOT], false),
        (&[WEIGHTS], false),
        (&[WEIGHTS, MAY], true),
        (&[USERS], true),
        (&[USERS, MAY], true),
    ] {
        let group = group(rest);
        assert_eq!(asks_for_the_tag(&json!(ingress(&group))), asks, "VirtualService, {rest:?}");
        let all = resources(&group, Routing::GatewayApi);
        let routes =
            all.iter().filter(|resource| resource["metadata"]["name"].as_str().unwrap().starts_with("shop-ingress"));
        let routes: Vec<&Value> = routes.filter(|resource| resource["kind"] == "HTTPRoute").collect();
        assert!(!routes.is_empty());
        assert_eq!(routes.iter().any(|route| asks_for_the_tag(route)), asks, "HTTPRoute, {rest:?}");
        assert_eq!(asks_for_the_tag(&envoy_file(&group, "gateway-routes.yaml").unwrap()), asks, "Envoy, {rest:?}");
    }
}

#[test]
fn every_route_without_a_filter_that_tags_writes_or_removes_the_tag() {
    let names =
        |rules: &[Value]| rules.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let none = ingress(&group(&[MAY_NOT]));
    assert_eq!(
        names(&none),
        ["testers-idempotent", "testers", "everybody-baseline"],
        "what asks for the tag is left out"
    );
    assert_eq!(none[2]["headers"], json!({"request": {"remove": [TAG]}}));
    assert_eq!(none[1]["route"][0]["headers"]["request"]["set"], json!({TAG: "s2"}));
    let weights = ingress(&group(&[WEIGHTS]));
    assert_eq!(names(&weights), ["testers-idempotent", "testers", "everybody-idempotent", "everybody"]);
    for (share, lane) in [(0, "s1"), (1, "s2")] {
        assert_eq!(weights[3]["route"][share]["headers"]["request"]["set"], json!({TAG: lane}));
    }
    let all = resources(&group(&[MAY_NOT]), Routing::GatewayApi);
    let route = named(&all, "shop-ingress").unwrap();
    let filters = json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": [TAG]}}]);
    assert_eq!(route["spec"]["rules"][0]["filters"], filters);
    let routes = envoy_file(&group(&[MAY_NOT]), "gateway-routes.yaml").unwrap();
    let last =
        routes.pointer("/resources/0/virtual_hosts/0/routes").unwrap().as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["request_headers_to_remove"], json!([TAG]));
}

#[test]
fn the_baggage_is_stripped_before_anything_else_at_the_gateway() {
    for rest in [&[USERS][..], &[WEIGHTS], &[MAY_NOT]] {
        let group = group(rest);
        for routing in [Routing::VirtualService, Routing::GatewayApi] {
            let all = resources(&group, routing);
            let plugin = named(&all, STRIP).unwrap();
            assert_eq!(plugin["metadata"]["namespace"], "istio-system");
            let spec = &plugin["spec"];
            assert_eq!(spec["selector"]["matchLabels"], json!({"istio": "ingressgateway"}));
            assert_eq!((&spec["phase"], &spec["priority"]), (&json!("AUTHN"), &json!(i32::MAX)));
            let config = json!({"members": [{"key": "lane", "header": TAG}], "direction": "strip"});
            assert_eq!(spec["pluginConfig"], config);
            let place = |name: &str| all.iter().position(|resource| resource["metadata"]["name"] == name).unwrap();
            let routes = all
                .iter()
                .position(|resource| ["VirtualService", "HTTPRoute"].iter().any(|kind| resource["kind"] == *kind));
            assert!(place(STRIP) < routes.unwrap(), "it is there before the routes");
        }
        let gateway = envoy_file(&group, "gateway.yaml").unwrap();
        let filters = gateway
            .pointer("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters")
            .unwrap();
        let names: Vec<&Value> = filters.as_array().unwrap().iter().map(|filter| &filter["name"]).collect();
        assert_eq!(names[0], "baggage-strip");
        assert_eq!(names.contains(&&json!("hash-tagging")), rest == [USERS]);
        assert!(envoy_file(&group, "baggage-strip.yaml").is_some());
    }
    for rest in [&[][..], &[USERS, MAY], &[WEIGHTS, MAY]] {
        let group = group(rest);
        assert_eq!(named(&resources(&group, Routing::VirtualService), STRIP), None, "{rest:?}");
        assert_eq!(envoy_file(&group, "baggage-strip.yaml"), None, "{rest:?}");
    }
}

#[test]
fn between_services_a_tag_counts_whatever_clients_may() {
    for routing in [Routing::VirtualService, Routing::GatewayApi] {
        let in_mesh = |rest: &[&str]| {
            let mut all = resources(&group(rest), routing);
            let stage = |resource: &Value| resource["metadata"]["labels"]["trafficlanes.dev/stage"].clone();
            all.retain(|resource| stage(resource) != "gateway" && resource["metadata"]["name"] != STRIP);
            all
        };
        assert!(in_mesh(&[MAY]).len() > 2);
        assert_eq!(in_mesh(&[MAY]), in_mesh(&[MAY_NOT]));
    }
    let sidecar = |rest: &[&str]| {
        ["web-s1.yaml", "outbound-routes.yaml", "baggage-propagation.yaml"]
            .map(|name| envoy_file(&group(rest), name).unwrap())
    };
    assert_eq!(sidecar(&[MAY]), sidecar(&[MAY_NOT]));
}

#[test]
fn what_is_said_of_a_request_that_brings_a_tag_is_what_the_gateway_does() {
    let said = |rest: &[&str], lines: &[(&str, &str)]| {
        let group = group(rest);
        assert_eq!(check(&group).errors, []);
        let mut request: HeaderList =
            [(":method", "GET"), (":path", "/"), (":authority", "shop")].into_iter().collect();
        lines.iter().for_each(|(name, value)| request.push(*name, *value));
        let explanation = explain(&group, &request).unwrap();
        format!("{}: {}", explanation.lane.unwrap_or_default(), explanation.because)
    };
    let (forged, bob) = ((TAG, "s2"), ("x-user-id", "bob"));
    let taken = "it has no tag of this lane group; the one that it brought is taken away, as clients may not choose";
    assert_eq!(said(&[], &[forged]), "s2: the request brought its tag");
    assert_eq!(said(&[MAY_NOT], &[forged]), format!("s1: {taken}"));
    assert_eq!(said(&[MAY_NOT], &[]), "s1: it has no tag of this lane group");
    assert_eq!(
        said(&[MAY_NOT], &[forged, ("x-tester", "yes")]),
        "s2: the route `testers` sends it there, whatever its tag"
    );
    assert_eq!(said(&[USERS], &[forged]), format!("s1: {taken}"));
    assert_eq!(said(&[USERS], &[forged, bob]), "s1: bucket 44 of 100");
    assert_eq!(said(&[USERS, MAY], &[forged]), "s2: it has no identity, and the request brought its tag");
    assert_eq!(said(&[USERS, MAY], &[forged, bob]), "s1: bucket 44 of 100");
    let carried = ("baggage", "user=alice,lane=s2");
    let counts = "s1: it has no tag of this lane group; behind `web` the lane in its baggage counts";
    assert_eq!(said(&[MAY], &[carried]), counts);
    assert_eq!(said(&[MAY_NOT], &[carried]), "s1: it has no tag of this lane group");
    assert_eq!(said(&[USERS, MAY], &[carried, bob]), "s1: bucket 44 of 100", "what the gateway says replaces it");
    let by_chance = ": the gateway chooses by chance, whatever the request: 80 % s1, 20 % s2";
    assert_eq!(said(&[WEIGHTS], &[forged]), by_chance);
}
