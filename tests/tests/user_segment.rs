//! The walkthrough `user-segment` on real Envoys: who reaches what, and how that changes under traffic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, time::Duration};

use hash_tagging::fnv1a32;
use local_mesh::{Client, Mesh, wait_until};
use traffic_lanes_tests::{
    load::{Stream, while_requests_flow},
    repository, walkthrough,
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
        let published = if ["jason", "jessie", "jack"].contains(&user) { "v1,v1,v2" } else { "v1,v1,v1" };
        assert_eq!(chain(&client, user), published, "{user}");
    }
    let forged = client.send("GET", &[("x-user-id", "bob"), ("x-asm-prefer-tag", "s2")]).unwrap();
    assert_eq!(forged.chain().unwrap().to_string(), "v1,v1,v1", "a tag sent by the client is replaced");
    let nobody = client.send("GET", &[("x-asm-prefer-tag", "s2")]).unwrap();
    assert_eq!(nobody.chain().unwrap().to_string(), "v1,v1,v1", "a tag sent by nobody is taken away");
}

/// Ramped, promoted, rolled back.
#[test]
fn a_ramp_under_traffic_loses_no_request_and_leads_nobody_astray() {
    let mesh = start();
    let observer = client(&mesh);
    let users = ["bob", "jessie", "jason"];
    let streams =
        users.map(|user| ["GET", "POST"].map(|method| Stream { method, header: ("x-user-id", user) })).concat();
    let seen = while_requests_flow(&mesh.gateway_url().unwrap(), &streams, |load| {
        for range in [50, 100, 0, 20] {
            mesh.update("hash-tagging.yaml", &ramp(range))?;
            wait_for(&format!("everybody is where {range} % puts them"), || {
                USERS.iter().all(|user| chain(&observer, user) == expected(user, range))
            });
            load.answers(100)?;
        }
        Ok(())
    })
    .unwrap();
    for (stream, seen) in streams.iter().zip(seen) {
        let jason = stream.header.1 == "jason";
        let expected: &[&str] = if jason { &["v1,v1,v2"] } else { &["v1,v1,v1", "v1,v1,v2"] };
        assert!(seen.keys().eq(expected), "{stream:?}: {seen:?}");
    }
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
