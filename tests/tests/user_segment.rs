//! The walkthrough `user-segment` on real Envoys: who reaches what, under changes and under faults.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, thread, time::Duration};

use hash_tagging::fnv1a32;
use local_mesh::{Client, Mesh, wait_until};
use traffic_lanes_tests::{
    repository,
    walkthrough::{self, while_requests_flow},
};

const LIMIT: Duration = Duration::from_secs(60);
/// Users whose buckets are published: jessie 16, jack 2, bob 44, stacy 25, vance 54. jason, 76, has a route of his own.
const USERS: [&str; 6] = ["jason", "bob", "stacy", "jessie", "vance", "jack"];

fn start() -> Mesh {
    walkthrough::start("user-segment").unwrap()
}

fn client(mesh: &Mesh) -> Client {
    Client::new(mesh.gateway_url().unwrap())
}

/// The chain of a user whose lane is s2 or not, whatever tag the client sends along.
fn expected(user: &str, range: u32) -> &'static str {
    if user == "jason" || fnv1a32(user.as_bytes()) % 100 < range { "v1,v1,v2" } else { "v1,v1,v1" }
}

fn chain(client: &Client, user: &str) -> String {
    client.send("GET", &[("x-user-id", user)]).unwrap().chain().unwrap().to_string()
}

/// The published configuration with another share for the canary.
fn ramp(range: u32) -> String {
    let published = fs::read_to_string(repository().join("envoy/user-segment/hash-tagging.yaml")).unwrap();
    let changed = published.replace(r#""range": 20,"#, &format!(r#""range": {range},"#));
    assert!(range == 20 || changed != published, "the published range was not found");
    changed
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    wait_until(what, LIMIT, || Ok(condition().then_some(()))).unwrap();
}

#[test]
fn the_published_users_reach_their_published_versions() {
    let mesh = start();
    let client = client(&mesh);
    for user in USERS {
        assert_eq!(chain(&client, user), expected(user, 20), "{user}");
    }
    let forged = client.send("GET", &[("x-user-id", "bob"), ("x-asm-prefer-tag", "s2")]).unwrap();
    assert_eq!(forged.chain().unwrap().to_string(), "v1,v1,v1", "a tag sent by the client is replaced");
}

#[test]
fn a_ramp_under_traffic_loses_no_request_and_leads_nobody_astray() {
    let mut mesh = start();
    let observer = client(&mesh);
    for user in ["bob", "jessie", "jason"] {
        let seen = while_requests_flow(&mut mesh, "GET", &[("x-user-id", user)], |mesh| {
            for range in [50, 0, 20] {
                mesh.update("hash-tagging.yaml", &ramp(range)).unwrap();
                wait_for(&format!("everybody is where {range} % puts them"), || {
                    USERS.iter().all(|user| chain(&observer, user) == expected(user, range))
                });
            }
        })
        .unwrap();
        let possible: &[&str] = if user == "jason" { &["v1,v1,v2"] } else { &["v1,v1,v1", "v1,v1,v2"] };
        assert!(seen.keys().all(|kind| possible.contains(&kind.as_str())), "{user}: {seen:?}");
        assert!(seen.values().sum::<usize>() > 0);
    }
}

#[test]
fn ten_thousand_mixed_requests_stay_in_their_lanes() {
    let mesh = start();
    let client = client(&mesh);
    thread::scope(|scope| {
        for worker in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for number in 0..2_500 {
                    let user = format!("user-{worker}-{number}");
                    assert_eq!(chain(client, &user), expected(&user, 20), "{user}");
                }
            });
        }
    });
}

#[test]
fn the_death_of_the_lanes_only_pod_costs_no_request() {
    let mut mesh = start();
    for round in 1..=5 {
        let observer = client(&mesh);
        let seen = while_requests_flow(&mut mesh, "GET", &[("x-user-id", "jessie")], |mesh| {
            wait_for("the lane is used", || chain(&observer, "jessie") == "v1,v1,v2");
            mesh.kill_pod("mockc-s2").unwrap();
            wait_for("the lane falls back", || chain(&observer, "jessie") == "v1,v1,v1");
            mesh.start_pod("mockc-s2").unwrap();
            wait_for("the lane comes back", || chain(&observer, "jessie") == "v1,v1,v2");
        })
        .unwrap();
        assert!(seen.keys().all(|kind| kind == "v1,v1,v1" || kind == "v1,v1,v2"), "round {round}: {seen:?}");
        assert_eq!(seen.len(), 2, "round {round}: {seen:?}");
    }
}

/// Requests that are not idempotent may fail, but only those that the pod had already got when it died.
#[test]
fn the_death_of_the_lanes_only_pod_costs_other_methods_what_was_under_way() {
    let mut mesh = start();
    let observer = client(&mesh);
    let seen = while_requests_flow(&mut mesh, "POST", &[("x-user-id", "jessie")], |mesh| {
        wait_for("the lane is used", || chain(&observer, "jessie") == "v1,v1,v2");
        mesh.kill_pod("mockc-s2").unwrap();
        wait_for("the lane falls back", || chain(&observer, "jessie") == "v1,v1,v1");
    })
    .unwrap();
    let lost: Vec<&String> = seen.keys().filter(|kind| !kind.starts_with("v1,v1,")).collect();
    let was_sent = |kind: &&String| kind.contains("connection termination");
    assert!(lost.iter().all(was_sent), "a request was lost that the pod had not got: {seen:?}");
}

/// Envoy answers 500 to everything when it cannot load a module over discovery, whatever the failure policy says; the
/// gateway's `default_config` is there for that.
#[test]
fn a_module_that_cannot_be_loaded_lets_requests_pass() {
    let gone = |text: &str| text.replace("dist/hash_tagging.wasm", "dist/gone.wasm");
    let mesh = walkthrough::start_changed("user-segment", gone).unwrap();
    assert_eq!(chain(&client(&mesh), "jessie"), "v1,v1,v1");
    mesh.update("hash-tagging.yaml", &ramp(20)).unwrap();
    wait_for("the module is there again", || chain(&client(&mesh), "jessie") == "v1,v1,v2");
}

#[test]
fn decisions_are_counted_with_labels() {
    let mesh = start();
    let client = client(&mesh);
    for user in USERS {
        chain(&client, user);
    }
    let gateway = mesh.pod("gateway").unwrap().envoy().unwrap();
    let has = |line: &str| gateway.admin_get("/stats/prometheus").unwrap().lines().any(|found| found == line);
    for line in [
        r#"hash_tagging_decisions{rule="rule-0",tag_value="s2",reason="hash"} 2"#,
        r#"hash_tagging_decisions{rule="rule-0",tag_value="s1",reason="hash"} 4"#,
        r#"hash_tagging_configuration_refused{plugin="hash-tagging"} 0"#,
    ] {
        let metrics = || gateway.admin_get("/stats/prometheus").unwrap();
        let ours = || metrics().lines().filter(|line| line.contains("hash_tagging")).collect::<Vec<_>>().join("\n");
        wait_until(line, LIMIT, || Ok(has(line).then_some(()))).unwrap_or_else(|error| panic!("{error}\n{}", ours()));
    }
}
