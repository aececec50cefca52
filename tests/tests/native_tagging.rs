//! `tagging: native`: Envoy's own routes put the same users into the same lanes as the hash-tagging filter.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use hash_tagging::Tagger;
use lanes::{
    file,
    render::envoy::{Options, render},
};
use local_mesh::{Client, Mesh};
use serde_json::{Value, json};
use tempfile::TempDir;
use traffic_lanes_tests::{
    built, http1, module, walkthrough,
    wasm_listeners::{bootstrap, listener, run, string_value, wasm},
};

const TIMEOUT: Duration = Duration::from_secs(60);
/// Of a client, each with a request at a time.
const CONNECTIONS: usize = 32;
const CLIENTS: usize = 2;
const USERS: usize = 1_000_000;

/// Parts of unequal size, of which one is a single bucket.
const PARTS: [(&str, u32); 5] = [("a", 1), ("b", 1999), ("c", 5000), ("a", 2500), ("d", 500)];
const MODULO: u32 = 10_000;

/// Which is sent as a header, and comes in many shapes.
fn user(number: usize) -> String {
    match number % 4 {
        0 => format!("{number}"),
        1 => format!("user-{number:07}@example.com"),
        2 => format!("{:032x}", (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
        _ => format!("Zoë {number}, {}.", "x".repeat(number % 97)),
    }
}

/// The filter's configuration with the same parts.
fn plugin_config() -> Value {
    let mut from = 0;
    let policies = PARTS.map(|(lane, buckets)| {
        let policy = json!({"from": from, "range": from + buckets, "tagValue": lane});
        from += buckets;
        policy
    });
    json!({"rules": [{"header": "x-user-id", "hash": "xxh64", "modulo": MODULO, "tagHeader": "x-filter", "policies": policies}]})
}

/// A listener with the filter and, behind it, a route that hashes. None of its clusters has a host, so the answer is Envoy's own:
/// it names the cluster and the filter's tag.
fn both() -> Value {
    let filter =
        wasm(&module("hash_tagging.wasm").unwrap(), "hash-tagging", &string_value(&plugin_config().to_string()));
    let mut listener = listener("both", None, &[filter]);
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let clusters = PARTS.map(|(lane, weight)| json!({"name": lane, "weight": weight}));
    manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"] = json!({
        "weighted_clusters": {"clusters": clusters, "use_hash_policy": true},
        "hash_policy": [{"header": {"header_name": "x-user-id"}}],
    });
    let answer = json!({"key": "x-answer", "value": "%UPSTREAM_CLUSTER% %REQ(X-FILTER)%"});
    let all = json!({"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 100, "runtime_key": "none"}}}});
    manager["local_reply_config"] = json!({"mappers": [{"filter": all, "headers_to_add": [{"header": answer}]}]});
    listener
}

/// By cluster and by tag: what Envoy's route and the filter decide about the users, each asked on the next connection.
fn decided(address: SocketAddr, users: &[String]) -> Vec<String> {
    let connect = |_| {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        BufReader::new(stream)
    };
    let mut connections: Vec<_> = (0..CONNECTIONS).map(connect).collect();
    let mut decided = Vec::with_capacity(users.len());
    for users in users.chunks(CONNECTIONS) {
        for (connection, user) in connections.iter_mut().zip(users) {
            let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx-user-id: {user}\r\n\r\n");
            connection.get_mut().write_all(request.as_bytes()).unwrap();
        }
        for connection in connections.iter_mut().take(users.len()) {
            decided.push(answer(connection));
        }
    }
    decided
}

/// Reads one answer to its end.
fn answer(connection: &mut BufReader<TcpStream>) -> String {
    let (mut line, mut answer, mut length) = (String::new(), String::new(), 0);
    while line != "\r\n" {
        line.clear();
        assert!(connection.read_line(&mut line).unwrap() > 0, "the connection ends");
        if let Some(value) = line.strip_prefix("x-answer: ") {
            value.trim_end().clone_into(&mut answer);
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim_end().parse().unwrap();
        }
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
    answer
}

#[test]
fn a_million_users_are_where_the_filter_puts_them() {
    let mut bootstrap = bootstrap(&[both()]).unwrap();
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
    clusters.extend(["a", "b", "c", "d"].map(|lane| json!({"name": lane, "type": "STATIC"})));
    let envoy = run(&bootstrap).unwrap();
    let address = envoy.listener_address("both").unwrap();
    let tagger = Tagger::parse(plugin_config().to_string().as_bytes()).unwrap();
    let rule = &tagger.rules()[0];

    let check = |first: usize| {
        let users: Vec<String> = (first..USERS).step_by(CLIENTS).map(user).collect();
        let decided = decided(address, &users);
        assert_eq!(decided.len(), users.len());
        for (user, decided) in users.iter().zip(&decided) {
            let tag = tagger.decide(rule, user.as_bytes()).tag.unwrap();
            let tag = str::from_utf8(tag.as_bytes()).unwrap();
            assert_eq!(
                *decided,
                format!("{tag} {tag}"),
                "Envoy and the filter about {user:?}, of which the crate says {tag}"
            );
        }
        users.len()
    };
    let asked: usize = thread::scope(|scope| {
        let checks: Vec<_> = (0..CLIENTS).map(|first| scope.spawn(move || check(first))).collect();
        checks.into_iter().map(|check| check.join().unwrap()).sum()
    });
    assert_eq!(asked, USERS);
}

const GROUP: &str = "apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: native, namespace: default}
spec:
  mode: permissive
  gateway: {selector: {istio: ingressgateway}}
  propagation: {trace: {header: x-request-id}}
  services: [{name: mocka, port: 8000}, {name: mockb, port: 8000}, {name: mockc, port: 8000}]
  baseline: s1
  lanes:
  - {name: s1, labels: {version: v1}, services: [mocka, mockb, mockc]}
  - {name: s2, labels: {version: v2}, services: [mockc]}
  routes:
  - {name: testers, service: mocka, match: [{headers: {x-tester: {exact: 'yes'}}}], lane: s2}
  - {name: everybody, service: mocka}
  assign:
    users:
      identity: [{header: X-User-Id}]
      hash: xxh64
      tagging: native
      named: [{values: [jason, bob], lane: s2}, {values: [jack], lane: s1}]
      split: [{lane: s2, percent: 20}]
";

fn start(group: &str, folder: &Path) -> Mesh {
    let mut options = walkthrough::options("user-segment").unwrap();
    options.group = file::read("group", group).groups.remove(0);
    let modules = "../../dist".into();
    for file in render(&options.group, &Options { modules, ..Options::default() }).unwrap() {
        assert!(!file.name.contains("hash-tagging"), "a module is rendered");
        fs::write(folder.join(&file.name), file.to_string()).unwrap();
    }
    options.configuration = folder.to_owned();
    Mesh::start(options).unwrap()
}

/// `lanes verify` expects what the filter would do: of named users, both sides of each boundary, hundreds of others, nobody,
/// and clients that bring a tag.
fn verified(mesh: &Mesh, group: &str, checks: &[&str]) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("group.yaml");
    fs::write(&file, group).unwrap();
    let mut command = Command::new(built("lanes").unwrap());
    command.arg("verify").arg(file).args([
        "--gateway",
        &mesh.gateway_url().unwrap(),
        "--rate",
        "2000",
        "--propagation",
    ]);
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for check in checks {
        assert!(text.contains(&format!("√ {check}: ")), "{check}\n{text}");
    }
}

#[test]
fn a_gateway_without_the_module_keeps_all_that_the_group_says() {
    let folder = TempDir::new().unwrap();
    let mesh = start(GROUP, folder.path());
    let asked =
        ["named-users", "split-boundaries", "sampled-users", "without-identity", "spoofed-tag", "share-of-lane"];
    verified(&mesh, GROUP, &asked);
}

#[test]
fn where_clients_may_choose_a_tag_counts_for_those_without_identity() {
    let folder = TempDir::new().unwrap();
    let group = format!("{GROUP}  clients: mayChoose\n");
    let mesh = start(&group, folder.path());
    verified(&mesh, &group, &["named-users", "split-boundaries", "sampled-users", "without-identity", "chosen-lanes"]);
    let chain =
        |headers: &[(&str, &str)]| Client::new(mesh.gateway_url().unwrap()).send("GET", headers).unwrap().outcome();
    assert_eq!(chain(&[("x-asm-prefer-tag", "s2"), ("x-user-id", "jack")]), "v1,v1,v1", "the name counts more");
}

/// Of several lines Envoy hashes each, and of one that is empty or no UTF-8 there is no user.
#[test]
fn what_is_no_identity_is_in_no_lane() {
    let folder = TempDir::new().unwrap();
    let mesh = start(GROUP, folder.path());
    let address: SocketAddr = mesh.gateway_url().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let mut request = http1::get(&[("x-user-id", "")]);
    request.push("x-asm-prefer-tag", "s2");
    let chain = |request: &_| String::from_utf8(http1::send(address, request).unwrap().body).unwrap();
    let get = |lines: &[(&str, &str)]| chain(&http1::get(lines));
    for number in 0..20 {
        let mut binary = http1::get(&[]);
        binary.push("x-user-id", [0xff, b'0' + number].as_slice());
        assert!(chain(&binary).contains("mockc(version: v1"), "{number}");
        assert!(chain(&request).contains("mockc(version: v1"));
        // The same two lines are always in the same lane, in either order.
        let two = get(&[("x-user-id", "jessie"), ("x-user-id", "jack")]);
        assert_eq!(two, get(&[("x-user-id", "jack"), ("x-user-id", "jessie")]));
    }
}
