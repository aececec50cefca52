//! A mirrored lane on real Envoys: what the baseline answers, the lane does as well, at every hop, and nobody notices.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use lanes::{
    document::{LaneGroup, LaneMirror},
    file,
    render::envoy::{self, File},
};
use local_mesh::{Client, Envoy, Mesh, MeshOptions, Network, Programs, installed_opentelemetry, wait_until};
use traffic_lanes_tests::{dist, mock_service, repository};

const GROUP: &str = include_str!("../testdata/mirroring.yaml");
const LIMIT: Duration = Duration::from_secs(60);
const ROUTES: &str = "gateway-routes.yaml";
/// Who is in the baseline, and who in the canary.
const BOB: [(&str, &str); 1] = [("x-user-id", "bob")];
const JESSIE: [(&str, &str); 1] = [("x-user-id", "jessie")];

fn group(percent: u8) -> LaneGroup {
    let mut file = file::read("mirroring.yaml", GROUP);
    assert!(file.findings.is_empty(), "{:?}", file.findings);
    let mut group = file.groups.remove(0);
    group.spec.lanes.iter_mut().filter_map(|lane| lane.mirror.as_mut()).for_each(|it| *it = LaneMirror { percent });
    group
}

fn rendered(group: &LaneGroup) -> Vec<File> {
    let options = envoy::Options { modules: "../../dist".into(), ..envoy::Options::default() };
    envoy::render(group, &options).unwrap()
}

fn start() -> Mesh {
    let folder = tempfile::tempdir().unwrap();
    let group = group(100);
    rendered(&group).iter().for_each(|file| fs::write(folder.path().join(&file.name), file.to_string()).unwrap());
    Mesh::start(options(group, folder.path())).unwrap()
}

fn options(group: LaneGroup, configuration: &Path) -> MeshOptions {
    let programs = Programs {
        envoy: Envoy::binary(repository()).unwrap(),
        modules: dist(),
        mock_service: mock_service().unwrap(),
        python: repository().join("sample/opentelemetry/application.py"),
        opentelemetry: installed_opentelemetry(repository()),
    };
    let (configuration, network) = (configuration.to_owned(), Network::Free);
    MeshOptions { group, configuration, programs, environment: BTreeMap::new(), network }
}

fn send(mesh: &Mesh, times: usize, user: &[(&str, &str)], chain: &str) {
    let client = Client::new(mesh.gateway_url().unwrap());
    for _ in 0..times {
        assert_eq!(client.send("POST", user).unwrap().chain().unwrap().to_string(), chain);
    }
}

/// How many requests all proxies together sent to the pods of a service in a lane.
fn sent(mesh: &Mesh, service: &str, lane: &str) -> u64 {
    let counter = format!("cluster.outbound|8000|{lane}|{service}.default.svc.cluster.local.upstream_rq_total");
    let running = mesh.pods().iter().filter_map(|pod| pod.envoy().ok());
    running.filter_map(|envoy| envoy.counter(&counter).unwrap()).sum()
}

fn all_sent(mesh: &Mesh, lane: &str) -> [u64; 3] {
    ["mocka", "mockb", "mockc"].map(|service| sent(mesh, service, lane))
}

fn wait_for_copies(mesh: &Mesh, expected: u64) {
    let seen = || all_sent(mesh, "shadow");
    let waited = wait_until("copies at every hop", LIMIT, || Ok((seen() == [expected; 3]).then_some(())));
    waited.unwrap_or_else(|error| unreachable!("{error}: {:?} instead of {expected}", seen()));
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    wait_until(what, LIMIT, || Ok(condition().then_some(()))).unwrap();
}

#[test]
fn the_lane_does_what_the_baseline_does_and_nobody_notices() {
    let mut mesh = start();

    send(&mesh, 50, &BOB, "v1,v1,v1");
    wait_for_copies(&mesh, 50);
    assert_eq!(all_sent(&mesh, "s1"), [50; 3], "the baseline has each request once, and no copy");
    send(&mesh, 20, &JESSIE, "v1,v1,v2");
    assert_eq!(
        sent(&mesh, "mocka", "shadow"),
        50,
        "what another lane gets is not copied, even if the baseline answers"
    );

    let ten = rendered(&group(10)).into_iter().find(|file| file.name == ROUTES).unwrap();
    mesh.update(ROUTES, &ten.to_string()).unwrap();
    let config = |mesh: &Mesh| mesh.pod("gateway").unwrap().envoy().unwrap().admin_get("/config_dump").unwrap();
    wait_for("the gateway copies 10 %", || config(&mesh).contains("\"numerator\": 10\n"));
    send(&mesh, 400, &BOB, "v1,v1,v1");
    let copied = sent(&mesh, "mocka", "shadow") - 50;
    // Five standard deviations around 40: one run in a million is beyond.
    assert!((10..=70).contains(&copied), "{copied} of 400");
    wait_for_copies(&mesh, 50 + copied);

    let all = rendered(&group(100)).into_iter().find(|file| file.name == ROUTES).unwrap();
    mesh.update(ROUTES, &all.to_string()).unwrap();
    wait_for("the gateway copies everything", || config(&mesh).contains("\"numerator\": 100\n"));
    mesh.kill_pod("mockb-shadow").unwrap();
    let before = all_sent(&mesh, "s1");
    send(&mesh, 30, &BOB, "v1,v1,v1");
    wait_for("the copies came to mocka", || sent(&mesh, "mocka", "shadow") == 80 + copied);
    mesh.wait_until_discovered().unwrap();
    send(&mesh, 30, &BOB, "v1,v1,v1");
    wait_for("the copies came to mocka", || sent(&mesh, "mocka", "shadow") == 110 + copied);
    assert_eq!(all_sent(&mesh, "s1"), before.map(|sent| sent + 60), "no copy falls back: the work would be done twice");

    mesh.kill_pod("mocka-shadow").unwrap();
    send(&mesh, 30, &BOB, "v1,v1,v1");
    mesh.wait_until_discovered().unwrap();
    send(&mesh, 30, &BOB, "v1,v1,v1");
}
