//! The walkthrough `permissive-baggage` on real Envoys: an application that knows nothing of lanes, under OpenTelemetry's
//! auto-instrumentation. The tests share a mesh, one after the other.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    process::{Command, ExitCode},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use local_mesh::{Client, Mesh, wait_until};
use traffic_lanes_tests::{
    built,
    load::Seen,
    repository,
    walkthrough::{changed, options},
};

const LIMIT: Duration = Duration::from_secs(60);
const TAG: &str = "version";
/// The lanes and their chains: v2 lacks mockb, v3 lacks mockc.
const LANES: [(&str, &str); 3] = [("v1", "v1,v1,v1"), ("v2", "v2,v1,v2"), ("v3", "v3,v3,v1")];
/// Of 100 requests without a tag.
const WEIGHTS: [u32; 3] = [40, 30, 30];
/// What the application of a pod gets, in the log of its sidecar.
const ACCESS_LOG: &str = r#"stat_prefix: inbound
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {text_format_source: {inline_string: "the application got %REQ(BAGGAGE)%\n"}}"#;

type Test = (&'static str, fn(&mut Mesh));

const LANES_AND_MEMBERS: [Test; 7] = [
    ("verify finds nothing", verify_finds_nothing),
    ("every lane keeps to its chain", every_lane_keeps_to_its_chain),
    ("a client's own members reach every application", a_clients_own_members_reach_every_application),
    ("a malformed member costs nothing else", a_malformed_member_costs_nothing_else),
    ("a list of the largest size leaves room for the lane", a_list_of_the_largest_size_leaves_room_for_the_lane),
    ("a client's own lane member does not count", a_clients_own_lane_member_does_not_count),
    ("what the filters did is counted with labels", what_the_filters_did_is_counted_with_labels),
];
const LOAD: [Test; 2] = [
    ("the gateway splits by weight", the_gateway_splits_by_weight),
    ("ten thousand concurrent requests stay in their lanes", ten_thousand_concurrent_requests_stay_in_their_lanes),
];
const CONTROL: [Test; 2] = [
    ("without baggage the application forgets the lane", without_baggage_the_application_forgets_the_lane),
    ("verify says where the lane is lost", verify_says_where_the_lane_is_lost),
];

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let thorough = [&LANES_AND_MEMBERS[..], &LOAD].concat();
    let settings =
        [("baggage", &thorough[..]), ("tracecontext,baggage", &LANES_AND_MEMBERS), ("tracecontext", &CONTROL)];
    let conclusions = settings.map(|(propagators, tests)| run(&arguments, propagators, tests));
    if conclusions.iter().any(libtest_mimic::Conclusion::has_failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs the tests on one mesh, whose applications have `OTEL_PROPAGATORS` set to `propagators`.
fn run(arguments: &Arguments, propagators: &'static str, tests: &[Test]) -> libtest_mimic::Conclusion {
    let mesh: Arc<Mutex<Option<Mesh>>> = Arc::default();
    let trial = |(name, test): &Test| {
        let (mesh, test) = (mesh.clone(), *test);
        Trial::test(format!("propagators {propagators}: {name}"), move || {
            let mut mesh = mesh.lock().unwrap_or_else(PoisonError::into_inner);
            let mesh = match &mut *mesh {
                Some(mesh) => mesh,
                none => none.insert(start(propagators)?),
            };
            test(mesh);
            Ok(())
        })
    };
    libtest_mimic::run(arguments, tests.iter().map(trial).collect())
}

fn start(propagators: &str) -> Result<Mesh> {
    let mut options = options("permissive-baggage")?;
    let logging = changed(&options.configuration, |text| text.replace("stat_prefix: inbound", ACCESS_LOG))?;
    options.configuration = logging.path().to_owned();
    options.environment.insert("OTEL_PROPAGATORS".to_owned(), propagators.to_owned());
    Mesh::start(options)
}

fn client(mesh: &Mesh) -> Client {
    Client::new(mesh.gateway_url().unwrap())
}

fn chain(client: &Client, headers: &[(&str, &str)]) -> String {
    client.send("GET", headers).unwrap().chain().unwrap().to_string()
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    wait_until(what, LIMIT, || Ok(condition().then_some(()))).unwrap();
}

/// The baggage that the application of `pod` got with the request whose baggage has `marker`.
fn baggage_at(mesh: &Mesh, pod: &str, marker: &str) -> String {
    let envoy = mesh.pod(pod).unwrap().envoy().unwrap();
    let logged = wait_until(&format!("{pod} logs {marker}"), LIMIT, || {
        let log = envoy.log();
        let mut lines = log.lines().filter_map(|line| line.strip_prefix("the application got "));
        Ok(lines.find(|line| line.contains(marker)).map(str::to_owned))
    });
    logged.unwrap_or_else(|error| panic!("{error}\n{}", envoy.log()))
}

/// What `lanes verify` says, on one line, and its exit status.
fn verified(mesh: &Mesh) -> (Option<i32>, String) {
    let group = repository().join("manifests/permissive-baggage/lane-group.yaml");
    let mut command = Command::new(built("lanes").unwrap());
    command.arg("verify").arg(group).args(["--gateway", &mesh.gateway_url().unwrap(), "--requests", "200"]);
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn verify_finds_nothing(mesh: &mut Mesh) {
    let (status, text) = verified(mesh);
    assert_eq!(status, Some(0), "{text}");
    for check in ["√ chosen-lanes: 3 clients", "√ share-of-lane: 200 requests", "√ lane-goes-on-behind-it"] {
        assert!(text.contains(check), "{check}: {text}");
    }
}

fn verify_says_where_the_lane_is_lost(mesh: &mut Mesh) {
    let (status, text) = verified(mesh);
    assert_eq!(status, Some(1), "{text}");
    for said in ["lane v2 was lost between mockb and mockc", "did not forward `baggage` with the member `version`"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

fn every_lane_keeps_to_its_chain(mesh: &mut Mesh) {
    let client = client(mesh);
    for method in ["GET", "POST"] {
        for (lane, expected) in LANES {
            let chain = client.send(method, &[(TAG, lane)]).unwrap().chain().unwrap().to_string();
            assert_eq!(chain, expected, "{method} in {lane}");
        }
    }
    let gateway = mesh.gateway_url().unwrap();
    let network = gateway.strip_prefix("http://").unwrap().strip_suffix(".0.11:8080").unwrap();
    let expected = format!(
        "-> mocka(version: v2, ip: {network}.1.12)-> mockb(version: v1, ip: {network}.2.11)\
         -> mockc(version: v2, ip: {network}.3.12)"
    );
    assert_eq!(client.send("GET", &[(TAG, "v2")]).unwrap().body, expected);
}

fn a_clients_own_members_reach_every_application(mesh: &mut Mesh) {
    let headers = [(TAG, "v2"), ("baggage", "user=alice,tenant=a%20b")];
    assert_eq!(chain(&client(mesh), &headers), "v2,v1,v2");
    assert_eq!(baggage_at(mesh, "mocka-v2", "user=alice"), "version=v2,user=alice,tenant=a%20b");
    // Python writes a space as a plus.
    assert_eq!(baggage_at(mesh, "mockb-v1", "user=alice"), "version=v2,user=alice,tenant=a+b");
    assert_eq!(baggage_at(mesh, "mockc-v2", "user=alice"), "version=v2,user=alice,tenant=a+b");
}

fn a_malformed_member_costs_nothing_else(mesh: &mut Mesh) {
    let headers = [(TAG, "v2"), ("baggage", "broken=%zz,user=bob,no value,=")];
    assert_eq!(chain(&client(mesh), &headers), "v2,v1,v2");
    assert!(!baggage_at(mesh, "mocka-v2", "user=bob").contains("%zz"));
    assert_eq!(baggage_at(mesh, "mockc-v2", "user=bob"), "version=v2,user=bob");
}

/// OpenTelemetry drops a list of more than 8192 bytes altogether.
fn a_list_of_the_largest_size_leaves_room_for_the_lane(mesh: &mut Mesh) {
    let member = |number: u32| format!("member-{number:02}={}", "x".repeat(117));
    let members: Vec<String> = (0..64).map(member).collect();
    let list = members.join(",");
    assert_eq!(list.len(), 8191);
    assert_eq!(chain(&client(mesh), &[(TAG, "v2"), ("baggage", &list)]), "v2,v1,v2");
    let at_the_end = baggage_at(mesh, "mockc-v2", "member-00");
    assert_eq!(at_the_end, format!("version=v2,{}", members[..63].join(",")));
}

fn a_clients_own_lane_member_does_not_count(mesh: &mut Mesh) {
    let headers = [(TAG, "v2"), ("baggage", "version=v3,user=mallory")];
    assert_eq!(chain(&client(mesh), &headers), "v2,v1,v2");
    assert_eq!(baggage_at(mesh, "mocka-v2", "user=mallory"), "version=v2,user=mallory");
}

fn what_the_filters_did_is_counted_with_labels(mesh: &mut Mesh) {
    assert_eq!(chain(&client(mesh), &[(TAG, "v3")]), "v3,v3,v1");
    let count = |pod: &str, action: &str| {
        let metrics = mesh.pod(pod).unwrap().envoy().unwrap().admin_get("/stats/prometheus").unwrap();
        let name = format!(r#"baggage_propagation_requests{{action="{action}"}} "#);
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap_or_default()
    };
    wait_for("mocka is where baggage begins", || count("mocka-v3", "to_baggage") > 0);
    wait_for("mocka calls in the lane", || count("mocka-v3", "to_header") > 0);
    wait_for("mockb calls in the lane", || count("mockb-v3", "to_header") > 0);
    assert_eq!(count("mockb-v3", "to_baggage"), 0, "the baggage that mocka sent was complete");
}

fn the_gateway_splits_by_weight(mesh: &mut Mesh) {
    const REQUESTS: u32 = 2000;
    let client = client(mesh);
    let mut counts = [0_u32; 3];
    for _ in 0..REQUESTS {
        let chain = chain(&client, &[]);
        let lane = LANES.iter().position(|(_, expected)| chain == *expected);
        counts[lane.unwrap_or_else(|| panic!("{chain} is no lane's"))] += 1;
    }
    for (count, weight) in counts.into_iter().zip(WEIGHTS) {
        let share = f64::from(weight) / 100.0;
        let expected = share * f64::from(REQUESTS);
        let deviation = (expected * (1.0 - share)).sqrt();
        assert!((f64::from(count) - expected).abs() < 5.0 * deviation, "{counts:?} are not {WEIGHTS:?}");
    }
}

fn ten_thousand_concurrent_requests_stay_in_their_lanes(mesh: &mut Mesh) {
    const CLIENTS: usize = 100;
    let mut seen = Seen::new();
    thread::scope(|scope| {
        let send = |first: usize| {
            let client = client(mesh);
            let lanes = LANES.iter().cycle().skip(first).take(100);
            let send = |lane| client.send("GET", &[(TAG, lane)]).and_then(|answer| answer.chain());
            let reached = |lane| send(lane).map_or_else(|error| error.to_string(), |chain| chain.to_string());
            lanes.map(|(lane, _)| format!("{lane}: {}", reached(lane))).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || send(number))).collect();
        for kind in clients.into_iter().flat_map(|client| client.join().unwrap()) {
            *seen.entry(kind).or_default() += 1;
        }
    });
    let expected = LANES.map(|(lane, chain)| format!("{lane}: {chain}"));
    assert!(seen.keys().eq(&expected), "{seen:?}");
    assert_eq!(seen.values().sum::<usize>(), 10_000);
}

fn without_baggage_the_application_forgets_the_lane(mesh: &mut Mesh) {
    assert_eq!(chain(&client(mesh), &[(TAG, "v2")]), "v2,v1,v1");
}
