//! The walkthrough `user-segment` on real Envoys: who reaches what, under changes and under faults.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use hash_tagging::fnv1a32;
use local_mesh::{Client, Envoy, Mesh, MeshOptions, Network, wait_until};
use traffic_lanes_tests::{dist, mock_service, repository};

const LIMIT: Duration = Duration::from_secs(60);
/// Users whose buckets are published: jessie 16, jack 2, bob 44, stacy 25, vance 54. jason, 76, has a route of his own.
const USERS: [&str; 6] = ["jason", "bob", "stacy", "jessie", "vance", "jack"];

fn start() -> Mesh {
    start_from(repository())
}

fn start_from(repo_root: &Path) -> Mesh {
    let options = MeshOptions {
        repo_root: repo_root.to_owned(),
        walkthrough: "user-segment".to_owned(),
        envoy: Envoy::binary(repository()).unwrap(),
        mock_service: mock_service().unwrap(),
        modules: dist(),
        network: Network::Free,
    };
    Mesh::start(options).unwrap()
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
    let changed = published.replace(r#"{"range": 20,"#, &format!(r#"{{"range": {range},"#));
    assert!(range == 20 || changed != published, "the published range was not found");
    changed
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    wait_until(what, LIMIT, || Ok(condition().then_some(()))).unwrap();
}

/// What a client saw while something happened: how often each status and chain.
type Seen = BTreeMap<String, usize>;

/// Runs `happening` while four clients send requests without a break.
fn while_requests_flow(
    mesh: &mut Mesh,
    method: &str,
    headers: &[(&str, &str)],
    happening: impl FnOnce(&mut Mesh),
) -> Seen {
    let client = client(mesh);
    let stop = AtomicBool::new(false);
    let flow = || {
        let mut seen = Seen::new();
        while !stop.load(Ordering::Relaxed) {
            let answer = client.send(method, headers).unwrap();
            let kind = answer.chain().map_or_else(|error| error.to_string(), |chain| chain.to_string());
            *seen.entry(kind).or_default() += 1;
        }
        seen
    };
    thread::scope(|scope| {
        let flows: Vec<_> = (0..4).map(|_| scope.spawn(flow)).collect();
        let stop_flows = StopOnDrop(&stop);
        happening(mesh);
        drop(stop_flows);
        let mut all = Seen::new();
        for (kind, count) in flows.into_iter().flat_map(|flow| flow.join().unwrap()) {
            *all.entry(kind).or_default() += count;
        }
        all
    })
}

/// Ends the flows also when something panics, so that the test fails instead of hanging.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
        });
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
            mesh.kill_pod("mockc-v2").unwrap();
            wait_for("the lane falls back", || chain(&observer, "jessie") == "v1,v1,v1");
            mesh.start_pod("mockc-v2").unwrap();
            wait_for("the lane comes back", || chain(&observer, "jessie") == "v1,v1,v2");
        });
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
        mesh.kill_pod("mockc-v2").unwrap();
        wait_for("the lane falls back", || chain(&observer, "jessie") == "v1,v1,v1");
    });
    let lost: usize = seen.iter().filter(|(kind, _)| !kind.starts_with("v1,v1,")).map(|(_, count)| count).sum();
    assert!(lost <= 4, "more than the four clients had under way: {seen:?}");
}

/// Envoy answers 500 to everything when it cannot load a module over discovery, whatever the failure policy says; the
/// gateway's `default_config` is there for that.
#[test]
fn a_module_that_cannot_be_loaded_lets_requests_pass() {
    let changed = tempfile::tempdir().unwrap();
    let (from, to) = (repository().join("envoy/user-segment"), changed.path().join("envoy/user-segment"));
    fs::create_dir_all(&to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap().replace("dist/hash_tagging.wasm", "dist/gone.wasm");
        fs::write(to.join(file.file_name()), text).unwrap();
    }
    let mesh = start_from(changed.path());
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
