//! Whether clients may choose a lane, at a real gateway that runs the rendered files: its routes, its filters and, in place of
//! the pods of each lane, somebody who says what arrived.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{fs, net::SocketAddr};

use header_edit::HeaderList;
use lanes::{
    file,
    render::envoy::{Options, render},
};
use local_mesh::{Envoy, EnvoyConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use traffic_lanes_tests::{
    discovery::Kind,
    dist,
    echo::Echo,
    http1, repository,
    wasm_listeners::{self, bootstrap, cluster, listener, run},
};

const TAG: &str = "x-asm-prefer-tag";
const LANES: [&str; 2] = ["s1", "s2"];
const USERS: &str = "assign: {users: {identity: [{header: x-user-id}], split: [{lane: s2, percent: 20}]}}";
const WEIGHTS: &str = "assign: {weights: [{lane: s1, weight: 100}, {lane: s2, weight: 0}]}";
const NOBODY: &str = "retries: idempotent";
const BAGGAGE: &str = "{baggage: {key: lane}}";
/// The gateway has no filter for it, and nothing looks at the baggage.
const APPLICATION: &str = "application";
const EVERY_HOST: &str = "['*']";
const OWN_HOST: &str = "[shop.example.com]";

/// Ways to name a lane that a client has no business in.
const FORGED: [&[(&str, &str)]; 14] = [
    &[(TAG, "s2")],
    &[("X-ASM-Prefer-Tag", "s2")],
    &[(TAG, "s1"), (TAG, "s2")],
    &[(TAG, ""), (TAG, "s2")],
    &[(TAG, "s3")],
    &[("baggage", "lane=s2")],
    &[("baggage", "lane=%73%32")],
    &[("baggage", "l%61ne=s2")],
    &[("baggage", "+lane%20=s2")],
    &[("baggage", "a%2Clane%3Ds2=")],
    &[("baggage", "lane\t= s2 ;ttl=30")],
    &[("baggage", "lane=s1"), ("Baggage", "lane=s2")],
    &[("baggage", "lane=s2,lane=s1,lane=s2")],
    &[(TAG, "s2"), ("baggage", "lane=s2")],
];
/// Of those, so many by the header alone.
const BY_HEADER: usize = 5;
/// What else requests have: a user of the canary, one of the baseline, nobody, and whoever a pinned route is for.
const HONEST: [&[(&str, &str)]; 4] =
    [&[("x-user-id", "jessie")], &[("x-user-id", "bob")], &[], &[("x-tester", "yes"), ("x-user-id", "bob")]];
const MEMBERS: &str = "user=alice,tenant=a%20b;p=1";

/// A gateway from the rendered files.
struct Gateway {
    envoy: Envoy,
    /// By HTTP/1.1, and by HTTP/2 through another proxy.
    addresses: [SocketAddr; 2],
    _front: Envoy,
    _folder: TempDir,
}

/// What became of a request.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: u16,
    lane: Option<&'static str>,
    tags: Vec<String>,
    baggage: String,
}

impl Gateway {
    fn start(assign: &str, clients: &str, hosts: &str, propagation: &str) -> Self {
        let echoes = LANES.map(|_| Echo::start().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let mut rendered = file::read("group", &group(assign, clients, hosts, propagation));
        assert!(rendered.findings.is_empty(), "{:?}", rendered.findings);
        let options = Options { modules: dist(), ..Options::default() };
        for file in render(&rendered.groups.remove(0), &options).unwrap() {
            fs::write(folder.path().join(&file.name), file.text).unwrap();
        }
        let clusters = LANES.iter().zip(&echoes).map(|(lane, echo)| cluster(&cluster_name(lane), echo.address()));
        let clusters = Value::from(Kind::Cluster.response(clusters));
        fs::write(folder.path().join("clusters.yaml"), clusters.to_string()).unwrap();

        let path = folder.path().join("gateway.yaml");
        let mut gateway: Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let anywhere = wasm_listeners::address(SocketAddr::from(([127, 0, 0, 1], 0)));
        gateway["admin"]["address"] = anywhere.clone();
        gateway["static_resources"]["listeners"][0]["address"] = anywhere;
        fs::write(&path, gateway.to_string()).unwrap();
        let binary = Envoy::binary(repository()).unwrap();
        let config = EnvoyConfig::File("gateway.yaml".into());
        let envoy = Envoy::builder(binary, config).working_dir(folder.path()).start().unwrap();
        let address = envoy.listener_address("gateway").unwrap();
        let front = front(address);
        let addresses = [address, front.listener_address("front").unwrap()];
        Self { envoy, addresses, _front: front, _folder: folder }
    }

    fn send(&self, address: SocketAddr, path: &str, lines: &[(&str, &str)]) -> Outcome {
        let pseudo = [(":authority", "shop.example.com"), (":method", "GET"), (":path", path)];
        let request: HeaderList = pseudo.iter().chain(lines).copied().collect();
        let before = LANES.map(|lane| self.requests(lane));
        let response = http1::send(address, &request).unwrap();
        let lane = LANES.into_iter().zip(before).find(|(lane, before)| self.requests(lane) > *before);
        let arrived =
            if response.status == 200 { http1::decode(&response.body).unwrap() } else { HeaderList::default() };
        let text =
            |name: &str| arrived.all(name).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect::<Vec<_>>();
        Outcome {
            status: response.status,
            lane: lane.map(|(lane, _)| lane),
            tags: text(TAG),
            baggage: text("baggage").join(","),
        }
    }

    fn requests(&self, lane: &str) -> u64 {
        let counter = format!("cluster.{}.upstream_rq_total", cluster_name(lane));
        self.envoy.counter(&counter).unwrap().unwrap_or_default()
    }
}

fn group(assign: &str, clients: &str, hosts: &str, propagation: &str) -> String {
    let shared = include_str!("../testdata/clients.yaml").replace(BAGGAGE, propagation);
    let shared = shared.replace("ingressgateway}", &format!("ingressgateway}}, hosts: {hosts}"));
    let everybody = "  - {name: everybody, service: web, match: [{uri: {prefix: /shop}}]}";
    format!("{shared}{everybody}\n  {assign}\n  {clients}\n")
}

fn cluster_name(lane: &str) -> String {
    format!("outbound|8000|{lane}|web.shop.svc.cluster.local")
}

/// A proxy that speaks HTTP/2 to the gateway.
fn front(gateway: SocketAddr) -> Envoy {
    let mut config = bootstrap(&[listener("front", None, &[])]).unwrap();
    let mut to_gateway = cluster("echo", gateway);
    to_gateway["typed_extension_protocol_options"] = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }});
    config["static_resources"]["clusters"] = json!([to_gateway]);
    run(&config).unwrap()
}

/// The same as of a request that names no lane, whatever it is, whoever sends it and how.
#[test]
fn where_clients_may_not_choose_nothing_that_they_send_changes_anything() {
    let groups = [(USERS, EVERY_HOST), (USERS, OWN_HOST), (WEIGHTS, EVERY_HOST), (NOBODY, OWN_HOST)];
    let groups = groups.into_iter().flat_map(|group| [(group, BAGGAGE), (group, APPLICATION)]);
    for ((assign, hosts), propagation) in groups {
        let gateway = Gateway::start(assign, "clients: mayNot", hosts, propagation);
        let forged = if propagation == BAGGAGE { &FORGED[..] } else { &FORGED[..BY_HEADER] };
        for (address, path) in
            gateway.addresses.iter().flat_map(|address| [(*address, "/shop"), (*address, "/elsewhere")])
        {
            for honest in HONEST {
                let expected = gateway.send(address, path, &[honest, &[("baggage", MEMBERS)]].concat());
                let is_canary = honest.contains(&("x-tester", "yes")) || assign == USERS && honest == HONEST[0];
                let is_served = path == "/shop" || honest.contains(&("x-tester", "yes"));
                let lane = is_served.then_some(if is_canary { "s2" } else { "s1" });
                assert_eq!(
                    (expected.status, expected.lane),
                    (if is_served { 200 } else { 404 }, lane),
                    "{assign} {honest:?}"
                );
                assert_eq!(expected.baggage, if is_served { MEMBERS } else { "" });
                for forged in forged {
                    let lines = [honest, forged, &[("baggage", MEMBERS)]].concat();
                    assert_eq!(
                        gateway.send(address, path, &lines),
                        expected,
                        "{assign} {hosts} {propagation}: {path} {lines:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn where_clients_may_choose_they_do() {
    for (assign, unassigned) in [(USERS, HONEST[2]), (NOBODY, HONEST[1])] {
        let gateway = Gateway::start(assign, "clients: mayChoose", EVERY_HOST, BAGGAGE);
        for address in gateway.addresses {
            let send = |lines: &[&[(&str, &str)]]| gateway.send(address, "/shop", &lines.concat());
            let chosen = send(&[unassigned, FORGED[0]]);
            assert_eq!((chosen.lane, chosen.tags), (Some("s2"), vec!["s2".to_owned()]), "{assign}");
            for forged in &FORGED[BY_HEADER..FORGED.len() - 1] {
                let carried = send(&[unassigned, forged]);
                let list: Vec<&str> = forged.iter().map(|(_, list)| *list).collect();
                assert_eq!((carried.lane, carried.baggage), (Some("s1"), list.join(",")), "{assign}");
            }
        }
    }
    let gateway = Gateway::start(USERS, "clients: mayChoose", EVERY_HOST, BAGGAGE);
    let replaced = gateway.send(gateway.addresses[0], "/shop", &[HONEST[1], FORGED[0]].concat());
    assert_eq!(
        (replaced.lane, replaced.tags),
        (Some("s1"), vec!["s1".to_owned()]),
        "a user has one lane, whatever he sends"
    );
}
