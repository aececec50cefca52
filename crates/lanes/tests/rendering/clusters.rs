//! What broke the lanes in clusters that people have, and what is rendered so that it does not. Each was seen on a real
//! Kubernetes API and a real Istio: docs/clusters.md has the table, with what remains.

use std::collections::BTreeSet;

use lanes::{
    check::check,
    document::{LaneGroup, Membership, Mesh, Propagation, Routing, Untagged},
    render::istio::{Cost, Images, render},
};
use serde_json::{Value, json};

use crate::{by, group, of_kind, resources};

const ROUTINGS: [Routing; 2] = [Routing::VirtualService, Routing::GatewayApi];
const NOTHING: &str = "consecutive5xxErrors, consecutiveGatewayErrors, consecutiveLocalOriginFailures";

fn walkthrough(name: &str) -> LaneGroup {
    group(name, &[])
}

/// Everything in a list of a field, of all resources.
fn each<'a>(resources: &[&'a Value], list: &str) -> Vec<&'a Value> {
    let list = |resource: &&'a Value| resource["spec"][list].as_array().into_iter().flatten();
    resources.iter().flat_map(list).collect()
}

fn in_mesh(resource: &&Value) -> bool {
    resource["spec"].get("gateways").is_none()
}

#[test]
fn a_second_port_stays_as_it_is_and_every_destination_names_its_own() {
    let all = resources(&by(Routing::VirtualService, walkthrough("user-segment")));
    let services = of_kind(&all, "VirtualService");
    let (mesh, ingress): (Vec<&Value>, Vec<&Value>) = services.into_iter().partition(in_mesh);
    for rule in each(&ingress, "http") {
        assert_eq!(rule["route"][0]["destination"]["port"], json!({"number": 8000}), "{}", rule["name"]);
    }
    for service in &mesh {
        let rules = each(&[service], "http");
        let (last, rules) = rules.split_last().unwrap();
        for rule in rules {
            assert_eq!(rule["route"][0]["destination"]["port"], json!({"number": 8000}));
            assert!(rule["match"].as_array().unwrap().iter().all(|condition| condition["port"] == 8000));
        }
        assert_eq!(
            **last,
            json!({"name": "other-ports", "route": [{"destination": {"host": service["spec"]["hosts"][0]}}]})
        );
    }

    let all = resources(&by(Routing::GatewayApi, walkthrough("user-segment")));
    let routes = of_kind(&all, "HTTPRoute");
    assert!(each(&routes, "rules").iter().all(|rule| rule["backendRefs"][0]["port"] == 8000));
    let of_services = |parent: &&&Value| parent["kind"] == "Service";
    let parents = each(&routes, "parentRefs");
    assert_eq!(parents.iter().filter(of_services).count(), 9);
    assert!(parents.iter().filter(of_services).all(|parent| parent["port"] == 8000));
}

#[test]
fn a_caller_of_no_lane_is_rejected_where_the_group_rejects() {
    for name in ["strict", "strict-source-labels"] {
        let all = resources(&by(Routing::VirtualService, walkthrough(name)));
        let mesh: Vec<&Value> = of_kind(&all, "VirtualService").into_iter().filter(in_mesh).collect();
        assert_eq!(mesh.len(), 3);
        for service in mesh {
            let rules = each(&[service], "http");
            let [.., rejected, _] = rules.as_slice() else { unreachable!("two rules at least") };
            let expected = json!({"name": "untagged", "match": [{"port": 8000}], "directResponse": {"status": 404}});
            assert_eq!(**rejected, expected, "{name}");
        }
    }
    // An HTTPRoute rejects what none of its rules takes.
    let mut group = walkthrough("permissive");
    group.spec.untagged = Some(Untagged::Reject);
    let all = resources(&by(Routing::GatewayApi, group));
    let rules = of_kind(&all, "HTTPRoute");
    assert!(!rules.is_empty() && each(&rules, "rules").iter().all(|rule| rule["matches"][0].get("headers").is_some()));

    let mut told_by_labels = walkthrough("permissive");
    told_by_labels.spec.mesh.routing = Routing::GatewayApi;
    told_by_labels.spec.propagation = Some(Propagation::SourceLabels);
    assert_eq!(check(&told_by_labels).errors[0].path, "spec.propagation");
}

/// Istio 1.31 sends pods that are not ready, and a team's outlierDetection is inherited by subsets that have none.
#[test]
fn a_lane_is_whole_while_one_of_its_pods_is() {
    let is_whole = |policy: &Value| {
        let detection = &policy["outlierDetection"];
        let detects = |field: &str| detection[field] != 0;
        assert!(!NOTHING.split(", ").any(detects) && detection["maxEjectionPercent"] == 0, "{policy}");
        assert_eq!(detection["minHealthPercent"], 1);
    };
    for name in ["user-segment", "permissive", "permissive-baggage", "strict", "strict-source-labels"] {
        let all = resources(&by(Routing::VirtualService, walkthrough(name)));
        let subsets = each(&of_kind(&all, "DestinationRule"), "subsets");
        assert!(subsets.len() >= 9, "{name}");
        subsets.iter().for_each(|subset| is_whole(&subset["trafficPolicy"]));
    }
    let all = resources(&by(Routing::GatewayApi, walkthrough("user-segment")));
    let rules = of_kind(&all, "DestinationRule");
    rules.iter().for_each(|rule| is_whole(&rule["spec"]["trafficPolicy"]));
    let hosts: BTreeSet<&str> = rules.iter().map(|rule| rule["spec"]["host"].as_str().unwrap()).collect();
    let members = of_kind(&all, "EnvoyFilter").into_iter().flat_map(aggregates).flat_map(|(_, members)| members);
    let members: BTreeSet<String> = members.map(|cluster| cluster.rsplit('|').next().unwrap().to_owned()).collect();
    assert!(members.iter().all(|host| hosts.contains(host.as_str())), "{members:?} {hosts:?}");
}

/// The aggregates of an EnvoyFilter: what is replaced, and the members.
fn aggregates(filter: &Value) -> Vec<(String, Vec<String>)> {
    let of = |patch: &Value| {
        let value = patch.pointer("/patch/value/cluster_type").and(patch.pointer("/patch/value"))?;
        let members = value["cluster_type"]["typed_config"]["clusters"].as_array()?;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Some((text(&value["name"]), members.iter().map(text).collect()))
    };
    filter["spec"]["configPatches"].as_array().unwrap().iter().filter_map(of).collect()
}

/// Gateway API: a `*.local` DestinationRule of a caller's namespace hides subsets, so there are none.
#[test]
fn no_destination_rule_of_others_can_hide_a_lane() {
    for name in ["user-segment", "permissive", "permissive-baggage"] {
        let all = resources(&by(Routing::GatewayApi, walkthrough(name)));
        assert!(of_kind(&all, "VirtualService").is_empty());
        assert!(of_kind(&all, "DestinationRule").iter().all(|rule| rule["spec"].get("subsets").is_none()));
        for (replaced, members) in of_kind(&all, "EnvoyFilter").into_iter().flat_map(aggregates) {
            let [own, baseline] = members.as_slice() else { unreachable!("an aggregate has two members") };
            assert!([&replaced, own, baseline].iter().all(|cluster| cluster.starts_with("outbound|8000||")));
            assert_eq!(own.replace("-only.", "."), replaced);
        }
    }
}

#[test]
fn a_mesh_that_exports_nothing_by_default_does_not_hide_the_lanes() {
    for routing in ROUTINGS {
        let mut group = by(routing, walkthrough("user-segment"));
        let exported = |all: &[Value], to: &Value| {
            let kinds = [of_kind(all, "VirtualService"), of_kind(all, "DestinationRule")].concat();
            assert!(!kinds.is_empty() && kinds.iter().all(|resource| resource["spec"]["exportTo"] == *to), "{to}");
        };
        exported(&resources(&group), &json!(["*"]));
        group.spec.mesh = Mesh { callers: vec!["web".to_owned()], ..group.spec.mesh };
        exported(&resources(&group), &json!(["default", "istio-system", "web"]));
    }
}

/// In AUTHN the filter runs before a verified claim is in its header, and the client's own header decides.
#[test]
fn the_filter_runs_behind_authentication() {
    for routing in ROUTINGS {
        let all = resources(&by(routing, walkthrough("user-segment")));
        let plugins = of_kind(&all, "WasmPlugin");
        let at_gateway = |plugin: &&&Value| plugin["metadata"]["namespace"] == "istio-system";
        let tagging = plugins.iter().find(at_gateway).unwrap();
        assert_eq!(tagging["spec"]["phase"], "AUTHZ");
        // A targetRef reaches no pods that were there before the Gateway.
        assert_eq!(tagging["spec"]["selector"], json!({"matchLabels": {"istio": "ingressgateway"}}));
        assert_eq!(tagging["spec"].get("targetRefs"), None);
    }
}

#[test]
fn retries_outlast_a_crash_and_repeat_no_answer_of_an_application() {
    for routing in ROUTINGS {
        let all = resources(&by(routing, walkthrough("user-segment")));
        let filters = of_kind(&all, "EnvoyFilter");
        assert!(filters.iter().all(|filter| filter["spec"]["priority"] == 10));
        for filter in &filters {
            for patch in filter["spec"]["configPatches"].as_array().unwrap() {
                let cluster = patch.pointer("/patch/value/cluster_type").and(patch.pointer("/patch/value"));
                let most = cluster.map(|cluster| &cluster["circuit_breakers"]["thresholds"][0]["max_retries"]);
                assert!(most.is_none_or(|most| *most == u32::MAX), "Envoy's 3 loses 70 % during a crash");
            }
        }
        let text = serde_json::to_string(&all).unwrap();
        let on: BTreeSet<&str> = text.split(r#""retryOn":""#).chain(text.split(r#""retry_on":""#)).skip(1).collect();
        let on: BTreeSet<&str> =
            on.iter().map(|rest| rest.split('"').next().unwrap()).filter(|on| on.contains("connect")).collect();
        let maybe_sent = match routing {
            Routing::VirtualService => "connect-failure,refused-stream,unavailable,cancelled,reset,503",
            Routing::GatewayApi => "connect-failure,refused-stream,unavailable,cancelled,reset,retriable-status-codes",
        };
        assert_eq!(on, BTreeSet::from(["connect-failure,refused-stream", maybe_sent]));
    }
}

/// `NAMESPACE.HTTPROUTE.RULE` is what Istio calls the routes that it makes of a rule.
#[test]
fn every_rule_of_an_http_route_has_the_retries_that_its_name_says() {
    let all = resources(&by(Routing::GatewayApi, walkthrough("permissive")));
    let named = |patch: &Value| {
        let name = patch["match"]["routeConfiguration"]["vhost"]["route"]["name"].as_str()?;
        Some((name.to_owned(), patch["patch"]["value"]["route"]["retry_policy"]["retry_on"].as_str()?.to_owned()))
    };
    let patches = each(&of_kind(&all, "EnvoyFilter"), "configPatches");
    let patched: BTreeSet<(String, String)> = patches.into_iter().filter_map(named).collect();
    let mut expected = BTreeSet::new();
    for route in of_kind(&all, "HTTPRoute") {
        let name = format!(
            "{}.{}",
            route["metadata"]["namespace"].as_str().unwrap(),
            route["metadata"]["name"].as_str().unwrap()
        );
        for (number, rule) in route["spec"]["rules"].as_array().unwrap().iter().enumerate() {
            let is_idempotent = rule["matches"].as_array().into_iter().flatten().all(|one| one.get("method").is_some());
            let of_lane = |one: &Value| one.get("headers").is_some();
            let on = match (rule["matches"].as_array().is_some_and(|all| all.iter().all(of_lane)), is_idempotent) {
                (false, _) => continue,
                (true, true) => "connect-failure,refused-stream,unavailable,cancelled,reset,retriable-status-codes",
                (true, false) => "connect-failure,refused-stream",
            };
            expected.insert((format!("{name}.{number}"), on.to_owned()));
        }
    }
    assert_eq!(patched, expected);
    assert_eq!(patched.len(), 16, "two lanes, idempotent or not, of three services and the gateway");
}

/// A group of many services and lanes, of which each lane holds three.
fn large(routing: Routing, membership: Membership) -> LaneGroup {
    let services: Vec<String> = (0..20).map(|number| format!("svc{number}")).collect();
    let lane = |number: usize| {
        let held: Vec<&String> = match number {
            0 => services.iter().collect(),
            _ => services.iter().cycle().skip(number).take(3).collect(),
        };
        json!({"name": format!("l{number}"), "labels": {"lane": format!("l{number}")}, "services": held})
    };
    let spec = json!({
        "mode": "permissive",
        "gateway": {"selector": {"istio": "ingressgateway"}},
        "propagation": {"trace": {"header": "x-request-id"}},
        "services": services.iter().map(|name| json!({"name": name, "port": 80})).collect::<Vec<_>>(),
        "baseline": "l0",
        "lanes": (0..20).map(lane).collect::<Vec<_>>(),
        "routes": [{"name": "all", "service": "svc0"}],
    });
    let mut group = walkthrough("user-segment");
    group.spec = serde_json::from_value(spec).unwrap();
    group.spec.membership = membership;
    by(routing, group)
}

#[test]
fn declared_membership_costs_what_the_lanes_hold() {
    for routing in ROUTINGS {
        let cost = |membership| {
            let group = large(routing, membership);
            let files = render(&group, &Images::default()).unwrap();
            (Cost::new(&group, &files), resources(&group))
        };
        let (discovered, _) = cost(Membership::Discovered);
        let (declared, all) = cost(Membership::Declared);
        assert_eq!(discovered.clusters, 20 * (1 + 19 * 2));
        assert_eq!(declared.clusters, 20 + 57 * 2, "the baseline's, and two of each of 57 members");
        let aggregates: Vec<_> = of_kind(&all, "EnvoyFilter").into_iter().flat_map(aggregates).collect();
        assert_eq!(aggregates.len(), 57);
        assert!(declared.resources < 350 && declared.bytes * 3 < discovered.bytes, "{declared:?} {discovered:?}");
    }
}

#[test]
fn one_filter_serves_all_lanes_that_have_a_label_in_common() {
    let mut group = walkthrough("user-segment");
    let filters = |group: &LaneGroup| of_kind(&resources(group), "WasmPlugin").len();
    assert_eq!(filters(&group), 3);
    for lane in &mut group.spec.lanes {
        lane.labels.insert("app.kubernetes.io/part-of".to_owned(), "shop".to_owned());
    }
    let all = resources(&group);
    let plugins = of_kind(&all, "WasmPlugin");
    let selector = json!({"matchLabels": {"app.kubernetes.io/part-of": "shop"}});
    assert_eq!((plugins.len(), &plugins[0]["spec"]["selector"]), (2, &selector));
}

/// (a, b-c) and (a-b, c) had one name in the root namespace.
#[test]
fn no_two_groups_have_resources_of_one_name() {
    for routing in ROUTINGS {
        let mut names = BTreeSet::new();
        let mut count = 0;
        for (namespace, name, service) in
            [("a", "b-c", "d-e"), ("a-b", "c", "d-e"), ("a", "b", "c-d-e"), ("a-b", "c-d", "e")]
        {
            let mut group = by(routing, walkthrough("user-segment"));
            (group.metadata.namespace, group.metadata.name) = (namespace.to_owned(), name.to_owned());
            let text = serde_json::to_string(&group).unwrap().replace("mocka", service);
            let text = text.replace("mockb", &format!("{service}-b")).replace("mockc", &format!("{service}-c"));
            for resource in resources(&serde_json::from_str(&text).unwrap()) {
                let of = |field: &str| resource["metadata"][field].as_str().unwrap().to_owned();
                names.insert((resource["kind"].as_str().unwrap().to_owned(), of("namespace"), of("name")));
                count += 1;
            }
        }
        assert_eq!(names.len(), count);
    }
}
