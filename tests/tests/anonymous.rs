//! Visitors without an id, in real Envoys: each gets one as a cookie, and stays in its lane with it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use hash_tagging::Tagger;
use header_edit::{HeaderList, RequestHeaders};
use lanes::{
    file,
    render::envoy::{Options, render},
};
use local_mesh::{Client, Envoy, Mesh, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;
use traffic_lanes_tests::{
    built,
    echo::Echo,
    http1::{self, Response},
    module, walkthrough,
    wasm_listeners::{bootstrap, cluster, listener, run, string_value, wasm},
};

const LIMIT: Duration = Duration::from_secs(60);
const ATTRIBUTES: &str = "; Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax";
/// Of an application of which cookies are its own.
const ITS_OWN: [&str; 2] = ["session=1; Path=/", "lane_uid_of_the_shop=2; Domain=a"];

fn config(places: &Value) -> String {
    let policies = json!([{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]);
    let rule = json!({"identity": places, "hash": "murmur3", "modulo": 100, "tagHeader": "lane", "policies": policies});
    json!({"clients": "mayNot", "rules": [rule]}).to_string()
}

fn issuing(cookie: &str) -> String {
    config(&json!([{"header": "x-user-id"}, {"cookie": cookie, "issueMaxAgeSeconds": 2_592_000}]))
}

/// A gateway with a listener for each way to be asked.
struct Gateway(Envoy);

impl Gateway {
    fn start() -> Self {
        let tagging = |file: &str, config: &str| wasm(&module(file).unwrap(), "lanes", &string_value(config));
        let cookies = |config: &str| tagging("hash_tagging_cookie.wasm", config);
        let routed = |name: &str, route: Value| {
            let mut listener = listener(name, None, &[cookies(&issuing("lane_uid"))]);
            let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            manager["route_config"]["virtual_hosts"][0]["routes"] = json!([route]);
            listener
        };
        let to = |cluster: &str| json!({"match": {"prefix": "/"}, "route": {"cluster": cluster}});
        let only_asked = config(&json!([{"header": "x-user-id"}, {"cookie": "lane_uid"}]));
        let listeners = [
            routed("issuing", to("echo")),
            routed("shop", to("shop")),
            routed("down", to("down")),
            routed("elsewhere", json!({"match": {"prefix": "/"}, "redirect": {"https_redirect": true}})),
            routed("lost", json!({"match": {"prefix": "/elsewhere"}, "route": {"cluster": "echo"}})),
            listener("host-only", None, &[cookies(&issuing("__Host-lane"))]),
            listener("not-asked", None, &[cookies(&only_asked)]),
            listener("without-responses", None, &[tagging("hash_tagging.wasm", &issuing("lane_uid"))]),
        ];
        let mut bootstrap = bootstrap(&listeners).unwrap();
        let shop =
            Echo::with_lines("set-cookie: session=1; Path=/\r\nset-cookie: lane_uid_of_the_shop=2; Domain=a\r\n");
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
        clusters.extend([cluster("shop", shop.unwrap().address()), json!({"name": "down", "type": "STATIC"})]);
        Self(run(&bootstrap).unwrap())
    }

    fn send(&self, listener: &str, lines: &[(&str, &str)]) -> Response {
        http1::send(self.0.listener_address(listener).unwrap(), &http1::get(lines)).unwrap()
    }

    /// The tag that arrives, and the cookies that come back.
    fn ask(&self, listener: &str, lines: &[(&str, &str)]) -> (Option<String>, Vec<String>) {
        let response = self.send(listener, lines);
        assert_eq!(response.status, 200);
        let arrived = http1::decode(&response.body).unwrap();
        let sent: HeaderList = lines.iter().copied().collect();
        assert_eq!(arrived.first("cookie"), sent.first("cookie"), "the application sees what the client sent");
        (http1::text(&arrived, "lane"), cookies(&response))
    }
}

fn cookies(response: &Response) -> Vec<String> {
    response.headers.all("set-cookie").map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// The id in the one cookie that was issued, whose attributes are as they must be.
fn id(cookies: &[String], name: &str) -> String {
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let id = cookies[0].strip_prefix(&format!("{name}=")).and_then(|rest| rest.strip_suffix(ATTRIBUTES)).unwrap();
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert!(id.len() == 32 && id.bytes().all(is_hex), "{id}");
    id.to_owned()
}

/// What the crate says of the same cookie: what `lanes explain` does.
fn explained(cookie: &str) -> String {
    let tagger = Tagger::parse(issuing("lane_uid").as_bytes()).unwrap();
    let request: HeaderList = [("cookie", cookie)].into_iter().collect();
    let tag = tagger.on_request(&request).decisions[0].tag.unwrap();
    String::from_utf8(tag.as_bytes().to_vec()).unwrap()
}

/// The first request is in the lane of all that follow, the shares are those of the split, and no two visitors are one.
#[test]
fn visitors_get_ids_and_stay_in_their_lanes() {
    let gateway = Gateway::start();
    let (mut ids, mut canary) = (BTreeSet::new(), 0);
    for _ in 0..200 {
        let (tag, cookies) = gateway.ask("issuing", &[]);
        let id = id(&cookies, "lane_uid");
        let cookie = format!("theme=dark; lane_uid={id}");
        assert_eq!(gateway.ask("issuing", &[("cookie", &cookie)]), (tag.clone(), vec![]), "{id}");
        assert_eq!(tag, Some(explained(&cookie)), "{id}");
        canary += u32::from(tag.as_deref() == Some("s2"));
        ids.insert(id);
    }
    assert_eq!(ids.len(), 200, "two visitors have one id");
    // Of 200 with a fifth each: outside of this once in three million runs.
    assert!((14..=70).contains(&canary), "{canary} of 200");
    let counted = || gateway.0.counter("wasmcustom.hash_tagging_issued_ids");
    wait_until("the ids are counted", LIMIT, || Ok((counted()? == Some(200)).then_some(()))).unwrap();
    assert_eq!(gateway.0.counter("wasmcustom.hash_tagging_failed_ids").unwrap().unwrap_or_default(), 0);

    let (_, cookies) = gateway.ask("host-only", &[]);
    id(&cookies, "__Host-lane");
}

#[test]
fn who_says_who_they_are_gets_no_cookie() {
    let gateway = Gateway::start();
    for user in ["jessie", "bob"] {
        let (tag, cookies) = gateway.ask("issuing", &[("x-user-id", user), ("lane", "s9")]);
        assert_eq!((tag.is_some_and(|tag| tag != "s9"), cookies), (true, vec![]), "{user}");
    }
}

#[test]
fn nothing_is_issued_unless_it_is_asked_for() {
    let gateway = Gateway::start();
    assert_eq!(gateway.ask("not-asked", &[]), (None, vec![]));
    let (tag, cookies) = gateway.ask("not-asked", &[("cookie", "lane_uid=jessie")]);
    assert_eq!((tag, cookies), (Some(explained("lane_uid=jessie")), vec![]));

    // The module that sees no responses refuses it, and lets requests pass.
    assert_eq!(gateway.ask("without-responses", &[]), (None, vec![]));
    let told =
        "rules[0].identity[1].issueMaxAgeSeconds: this module sees no responses: load hash_tagging_cookie.wasm instead";
    assert!(gateway.0.log().contains(told), "{}", gateway.0.log());
}

#[test]
fn the_applications_cookies_stay_as_they_are() {
    let gateway = Gateway::start();
    let (_, all) = gateway.ask("shop", &[]);
    assert_eq!(all[..2], ITS_OWN, "{all:?}");
    let id = id(&all[2..], "lane_uid");
    assert_eq!(gateway.ask("shop", &[("cookie", &format!("lane_uid={id}"))]).1, ITS_OWN);
}

/// The request has been decided about, so what comes next should be in the same lane.
#[test]
fn an_answer_of_envoys_own_has_the_cookie_too() {
    let gateway = Gateway::start();
    for (listener, status) in [("down", 503), ("lost", 404), ("elsewhere", 301)] {
        let response = gateway.send(listener, &[]);
        assert_eq!(response.status, status);
        id(&cookies(&response), "lane_uid");
        let response = gateway.send(listener, &[("cookie", "lane_uid=jessie")]);
        assert_eq!((response.status, cookies(&response)), (status, vec![]));
    }
}

#[test]
fn what_clients_send_as_the_cookie_is_an_identity_whatever_it_is() {
    let gateway = Gateway::start();
    let long = format!("lane_uid={}", "x".repeat(8192));
    for cookie in ["lane_uid=jessie", "lane_uid=jessie; lane_uid=bob", "lane_uid=\"; x=y", "lane_uid=%00%0a", &long] {
        let (tag, cookies) = gateway.ask("issuing", &[("cookie", cookie)]);
        assert_eq!((tag, cookies), (Some(explained(cookie)), vec![]), "{cookie:.40}");
    }
    for cookie in
        ["lane_uid=", "lane_uid=\"\"", "lane_uid", "LANE_UID=jessie", "xlane_uid=jessie", "lane_uid=; lane_uid=bob"]
    {
        let (_, cookies) = gateway.ask("issuing", &[("cookie", cookie)]);
        id(&cookies, "lane_uid");
    }
}

/// Which no browser sends by HTTP/1, and HTTP/2 has Envoy join: as everywhere, the first line counts.
#[test]
fn of_two_lines_of_cookies_the_first_counts() {
    let gateway = Gateway::start();
    let (_, cookies) = gateway.ask("issuing", &[("cookie", "lane_uid=jessie"), ("cookie", "lane_uid=bob")]);
    assert_eq!(cookies, [""; 0]);
    let (_, cookies) = gateway.ask("issuing", &[("cookie", "theme=dark"), ("cookie", "lane_uid=jessie")]);
    id(&cookies, "lane_uid");
}

const GROUP: &str = "apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: visitors, namespace: default}
spec:
  mode: permissive
  gateway: {selector: {istio: ingressgateway}}
  propagation: {trace: {header: x-request-id}}
  services: [{name: mocka, port: 8000}, {name: mockb, port: 8000}, {name: mockc, port: 8000}]
  baseline: s1
  lanes:
  - {name: s1, labels: {version: v1}, services: [mocka, mockb, mockc]}
  - {name: s2, labels: {version: v2}, services: [mockc]}
  routes: [{name: everybody, service: mocka}]
  assign:
    users:
      identity: [{header: x-user-id}, {cookie: lane_uid, issue: {maxAge: 720h}}]
      split: [{lane: s2, percent: 20}]
";

fn start(folder: &Path) -> Mesh {
    let mut options = walkthrough::options("user-segment").unwrap();
    options.group = file::read("group", GROUP).groups.remove(0);
    for file in render(&options.group, &Options { modules: "../../dist".into(), ..Options::default() }).unwrap() {
        fs::write(folder.join(&file.name), file.to_string()).unwrap();
    }
    options.configuration = folder.to_owned();
    Mesh::start(options).unwrap()
}

/// As it is rendered: through a chain of services, which each visitor is in one lane of, and which `lanes verify` finds nothing
/// wrong about.
#[test]
fn a_rendered_group_keeps_its_visitors_in_their_lanes() {
    let folder = TempDir::new().unwrap();
    let mesh = start(folder.path());
    let address: SocketAddr = mesh.gateway_url().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let mut chains = BTreeSet::new();
    for _ in 0..100 {
        let response = http1::send(address, &http1::get(&[])).unwrap();
        let id = id(&cookies(&response), "lane_uid");
        let client = Client::new(mesh.gateway_url().unwrap());
        let later = client.send("GET", &[("cookie", &format!("lane_uid={id}"))]).unwrap();
        assert_eq!(String::from_utf8(response.body).unwrap(), later.body, "{id}");
        chains.insert(later.outcome());
    }
    assert!(chains.iter().eq(["v1,v1,v1", "v1,v1,v2"]), "{chains:?}");

    let group = folder.path().join("group.yaml");
    fs::write(&group, GROUP).unwrap();
    let mut command = Command::new(built("lanes").unwrap());
    command.arg("verify").arg(group).args([
        "--gateway",
        &mesh.gateway_url().unwrap(),
        "--rate",
        "2000",
        "--propagation",
    ]);
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("√ without-identity: 10 requests"), "{text}");
}
