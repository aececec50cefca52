//! The groups of docs/migration.md that take the place of other tools' canaries: the same requests go to the same pods, in the same
//! shares, as those tools' documentation and sources have it.

use std::collections::BTreeMap;

use header_edit::HeaderList;
use lanes::{
    document::LaneGroup,
    explain::{explain, served},
    file,
};
use regex::Regex;
use serde_json::{Value, json};

use super::{manifests, of_kind, resources};

/// A rule of a VirtualService.
#[derive(Debug, PartialEq)]
struct Rule {
    /// One of them must hold.
    conditions: Vec<Value>,
    /// The percentage of each lane.
    shares: BTreeMap<String, u64>,
    timeout: Value,
}

impl Rule {
    fn new(conditions: Vec<Value>, shares: &[(&str, u64)], timeout: &Value) -> Self {
        let shares = shares.iter().map(|(lane, share)| ((*lane).to_owned(), *share)).collect();
        Self { conditions, shares, timeout: timeout.clone() }
    }

    fn read(rule: &Value) -> Self {
        let destinations = list(&rule["route"]).into_iter();
        let share = |to: Value| (to["destination"]["subset"].as_str().unwrap().to_owned(), share(&to));
        Self {
            conditions: list(&rule["match"]),
            shares: destinations.map(share).collect(),
            timeout: rule["timeout"].clone(),
        }
    }
}

fn share(destination: &Value) -> u64 {
    destination.get("weight").map_or(100, |weight| weight.as_u64().unwrap())
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// What is in one object or in the other.
fn joined(one: &Value, other: &Value) -> Value {
    let fields = [one, other].into_iter().flat_map(|object| object.as_object().unwrap().clone());
    Value::Object(fields.collect())
}

/// The page's code block in `language` with a text in it.
fn block(language: &str, text: &str) -> String {
    let page = std::fs::read_to_string(manifests("").join("../docs/migration.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let found: Vec<&str> = blocks.filter(|block| block.contains(text)).collect();
    assert_eq!(found.len(), 1, "{text}");
    found[0].to_owned()
}

fn shown(name: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&block("yaml", &format!("# {name}\n"))).unwrap()
}

fn group(name: &str) -> LaneGroup {
    read(&block("yaml", &format!("# {name}\n")))
}

fn read(text: &str) -> LaneGroup {
    let mut read = file::read("shown", text);
    assert_eq!(read.findings, []);
    read.groups.remove(0)
}

/// The rules of the gateway. Each is there twice, where it is told apart what may be sent again: both send it to the same pods.
fn rendered(group: &LaneGroup) -> Vec<Rule> {
    let resources = resources(group);
    let services = of_kind(&resources, "VirtualService");
    let ingress = services.iter().find(|service| service["metadata"]["name"].as_str().unwrap().ends_with("-ingress"));
    let rules = list(&ingress.unwrap()["spec"]["http"]);
    let (again, once): (Vec<Value>, Vec<Value>) =
        rules.into_iter().partition(|rule| rule["name"].as_str().unwrap().ends_with("-idempotent"));
    for rule in again {
        let name = rule["name"].as_str().unwrap().trim_end_matches("-idempotent");
        let other = once.iter().find(|other| other["name"] == name).unwrap();
        assert_eq!((&rule["route"], &rule["timeout"]), (&other["route"], &other["timeout"]), "{name}");
    }
    once.iter().map(Rule::read).collect()
}

/// As Flagger has it while an analysis runs (`reconcileVirtualService` and `mergeMatchConditions` in pkg/router/istio.go): each
/// condition of the analysis with each of the service.
#[test]
fn a_canary_of_flagger_and_its_group_agree() {
    let canary = &shown("canary.yaml")[0]["spec"];
    let (service, analysis) = (&canary["service"], &canary["analysis"]);
    let everybody = list(&service["match"]);
    let insiders = list(&analysis["match"]).into_iter();
    let insiders = insiders.flat_map(|one| everybody.iter().map(move |other| joined(other, &one))).collect();

    let group = group("flagger.yaml");
    let timeout = &service["timeout"];
    let expected =
        [Rule::new(insiders, &[("canary", 100)], timeout), Rule::new(everybody, &[("stable", 100)], timeout)];
    assert_eq!(rendered(&group), expected);
    assert_eq!(json!(group.spec.gateway.as_ref().unwrap().hosts), service["hosts"]);
    assert_eq!(json!(group.spec.services[0].port), service["port"]);
}

/// As Argo Rollouts has it at the pause (`createHeaderRoute` and `reconcileVirtualServiceHTTPRoutes` in
/// rollout/trafficrouting/istio/istio.go): a route for headers before the others, each of its conditions alone; the weights of
/// the route that the Rollout names.
#[test]
fn a_rollout_of_argo_and_its_group_agree() {
    let shown = shown("rollout.yaml");
    let canary = &shown[0]["spec"]["strategy"]["canary"];
    let steps = list(&canary["steps"]);
    let step = |name: &str| steps.iter().find_map(|step| step.get(name)).unwrap();
    let conditions = list(&step("setHeaderRoute")["match"]).into_iter();
    let condition = |one: Value| json!({"headers": {one["headerName"].as_str().unwrap(): one["headerValue"]}});
    let weight = step("setWeight").as_u64().unwrap();

    let own = list(&shown[1]["spec"]["http"]);
    assert_eq!((own.len(), &own[0]["name"]), (1, &canary["trafficRouting"]["istio"]["virtualService"]["routes"][0]));
    let expected = [
        Rule::new(conditions.map(condition).collect(), &[("next", 100)], &Value::Null),
        Rule::new(list(&own[0]["match"]), &[("current", 100 - weight), ("next", weight)], &Value::Null),
    ];
    let group = group("argo.yaml");
    assert_eq!(rendered(&group), expected);
    assert_eq!(json!(group.spec.gateway.as_ref().unwrap().hosts), shown[1]["spec"]["hosts"]);
}

const BAGGAGE: [&str; 9] =
    ["KEY", "a=b,KEY", "a=b , KEY ; ttl=30, c=d", "KEY,a=b", "KEY2", "not-KEY", "a=KEY", "a=b", ""];

/// The lane of a request from outside, by its header.
fn lane(group: &LaneGroup, name: &str, value: &str) -> String {
    let mut request = HeaderList::default();
    let host = served(group);
    for (name, value) in [(":method", "GET"), (":path", "/"), (":authority", host.as_str()), (name, value)] {
        request.push(name, value);
    }
    explain(group, &request).unwrap().lane.unwrap()
}

/// Signadot looks for a member of the W3C baggage.
#[test]
fn a_routing_key_of_signadot_leads_into_its_lane() {
    let (group, key) = (group("signadot.yaml"), "sd-routing-key=vf0ju8vw50wpu");
    let mut entered = 0;
    for baggage in BAGGAGE {
        let value = baggage.replace("KEY", key);
        let mut members = value.split(',').map(|member| member.split(';').next().unwrap().trim());
        let is_entered = members.any(|member| member == key);
        assert_eq!(lane(&group, "baggage", &value) == "vf0ju8vw50wpu", is_entered, "{value}");
        entered += usize::from(is_entered);
    }
    assert_eq!(entered, 4);
}

/// What Jaeger's and Datadog's SDKs forward instead is a header of its own.
#[test]
fn a_routing_key_in_a_header_of_its_own_is_the_tag() {
    for header in ["ot-baggage-sd-routing-key", "uberctx-sd-routing-key"] {
        let text = block("yaml", "# signadot.yaml\n");
        let text = text.replace("routeHeader: x-lane", &format!("routeHeader: {header}"));
        let group = read(&text.replace("{baggage: {key: sd-routing-key}}", "application"));
        assert_eq!(lane(&group, header, "vf0ju8vw50wpu"), "vf0ju8vw50wpu");
        assert_eq!(lane(&group, header, "another"), "stable");
    }
}

/// mirrord compares its filter with `name: value`, whatever the case.
#[test]
fn a_filter_of_mirrord_leads_into_its_lane() {
    let session: Value = serde_json::from_str(&block("json", "mirrord-session")).unwrap();
    let filter = &session["feature"]["network"]["incoming"]["http_filter"]["header_filter"];
    let key = session["key"].as_str().unwrap();
    let filter = filter.as_str().unwrap().replace("{{ key }}", key);
    let filter = Regex::new(&format!("(?i){filter}")).unwrap();
    let group = group("mirrord.yaml");
    let values = BAGGAGE.map(|baggage| baggage.replace("KEY", &format!("mirrord-session={key}")));
    let shouted = values.clone().map(|value| value.to_uppercase());
    let mut entered = 0;
    for value in values.into_iter().chain(shouted) {
        let is_entered = filter.is_match(&format!("baggage: {value}"));
        assert_eq!(lane(&group, "baggage", &value) == key, is_entered, "{value}");
        entered += usize::from(is_entered);
    }
    assert_eq!(entered, 14);
}
