//! The walkthroughs of Kubernetes on real Envoys, from the rendered files alone: where the lanes lead, and what becomes of
//! a lane that loses a service. `user_segment.rs` and `permissive_baggage.rs` show the two with filters.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use local_mesh::{Client, Mesh, wait_until};
use traffic_lanes_tests::walkthrough::{ask, lanes, start};

const LIMIT: Duration = Duration::from_secs(60);
const TAG: &str = "x-asm-prefer-tag";
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

fn client(mesh: &Mesh) -> Client {
    Client::new(mesh.gateway_url().unwrap())
}

/// Waits until a request with this tag comes to what begins with `expected`: a chain, or the status of a failure.
fn wait_for(client: &Client, tag: &str, expected: &str) {
    let reached = || Ok(ask(client, &[(TAG, tag)])?.starts_with(expected).then_some(()));
    wait_until(&format!("{tag} reaches {expected}"), LIMIT, reached)
        .unwrap_or_else(|error| panic!("{error}, but {:?}", ask(client, &[(TAG, tag)])));
}

fn every_lane_keeps_to_its_chain(mesh: &Mesh, walkthrough: &str) {
    let client = client(mesh);
    for lane in lanes(walkthrough) {
        for method in METHODS {
            let outcome = client.send(method, &[lane.header]).unwrap().outcome();
            assert_eq!(outcome, lane.chain, "{walkthrough}: {method} in {}", lane.name);
        }
    }
}

#[test]
fn strict_lanes_are_whole_and_nothing_else_gets_in() {
    let mut mesh = start("strict").unwrap();
    every_lane_keeps_to_its_chain(&mesh, "strict");
    let client = client(&mesh);
    for (path, headers) in [("/other", &[(TAG, "s2")][..]), ("/mock", &[]), ("/mock", &[(TAG, "s4")])] {
        assert_eq!(client.send_to(path, "GET", headers).unwrap().status, 404, "{path} {headers:?}");
    }
    for service in ["mocka", "mockb", "mockc"] {
        let pod = format!("{service}-s2");
        mesh.kill_pod(&pod).unwrap();
        wait_for(&client, "s2", "503");
        mesh.wait_until_discovered().unwrap();
        for (tag, expected) in [("s1", "v1,v1,v1"), ("s3", "v3,v3,v3")] {
            assert_eq!(ask(&client, &[(TAG, tag)]).unwrap(), expected, "{tag} without {pod}");
        }
        assert!(ask(&client, &[(TAG, "s2")]).unwrap().starts_with("503"), "s2 without {pod}");
        mesh.start_pod(&pod).unwrap();
        wait_for(&client, "s2", "v2,v2,v2");
    }
}

/// The lane of the calling pod decides, so a request that has fallen back stays in the baseline.
#[test]
fn strict_source_labels_shifts_to_v1_and_back() {
    let mut mesh = start("strict-source-labels").unwrap();
    every_lane_keeps_to_its_chain(&mesh, "strict-source-labels");
    let client = client(&mesh);
    assert_eq!(client.send_to("/other", "GET", &[(TAG, "v2")]).unwrap().status, 404);
    for (pod, fallback) in [("mockb-v2", "v2,v1,v1"), ("mocka-v2", "v1,v1,v1"), ("mockc-v2", "v2,v2,v1")] {
        mesh.kill_pod(pod).unwrap();
        wait_for(&client, "v2", fallback);
        assert_eq!(ask(&client, &[(TAG, "v3")]).unwrap(), "v3,v3,v3", "v3 without {pod}");
        mesh.start_pod(pod).unwrap();
        wait_for(&client, "v2", "v2,v2,v2");
    }
}

/// Nothing is configured in between.
#[test]
fn a_permissive_lane_uses_a_service_as_long_as_it_has_it() {
    let mut mesh = start("permissive").unwrap();
    every_lane_keeps_to_its_chain(&mesh, "permissive");
    let client = client(&mesh);
    for untagged in [&[][..], &[(TAG, "s4")]] {
        assert_eq!(ask(&client, untagged).unwrap(), "v1,v1,v1", "{untagged:?}");
    }
    for (pod, tag, with, without) in
        [("mockb-s2", "s2", "v2,v2,v2", "v2,v1,v2"), ("mockc-s3", "s3", "v1,v3,v3", "v1,v3,v1")]
    {
        assert_eq!(ask(&client, &[(TAG, tag)]).unwrap(), without, "before {pod} appears");
        for _ in 0..2 {
            mesh.start_pod(pod).unwrap();
            wait_for(&client, tag, with);
            mesh.kill_pod(pod).unwrap();
            wait_for(&client, tag, without);
        }
    }
}
