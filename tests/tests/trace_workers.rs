//! Trace propagation in a real Envoy with several workers, around an application, and under new configurations.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use header_edit::{Direction, HeaderList};
use local_mesh::wait_until;
use serde_json::{Value, json};
use traffic_lanes_tests::{
    discovery::{Discovery, Kind},
    http1,
    load::while_repeated,
    module,
    trace_application::Application,
    trace_connection::Connection,
    trace_listeners::{Behind, Sidecar},
    wasm_listeners::{string_value, wasm},
};

const LIMIT: Duration = Duration::from_secs(60);
const IN: Option<Direction> = Some(Direction::Inbound);
const OUT: Option<Direction> = Some(Direction::Outbound);

fn filter(name: &str, config: &str) -> Value {
    wasm(&module("trace_propagation.wasm").unwrap(), name, &string_value(config))
}

fn by(trace_header: &str) -> String {
    json!({"traceHeader": trace_header, "routeHeaders": ["x-asm-prefer-tag"]}).to_string()
}

fn tag(arrived: &HeaderList) -> Option<String> {
    http1::text(arrived, "x-asm-prefer-tag")
}

/// A connection to every worker, in their order. Which one gets a connection is up to the kernel.
fn connection_to_each(sidecar: &Sidecar, direction: Option<Direction>, workers: u32) -> Vec<Connection> {
    let mut connections: Vec<Option<Connection>> = (0..workers).map(|_| None).collect();
    for _ in 0..500 {
        let before = sidecar.connections("lanes", direction, workers).unwrap();
        let connection = Connection::open(sidecar.address("lanes", direction).unwrap()).unwrap();
        let worker = wait_until("a worker has the connection", LIMIT, || {
            let after = sidecar.connections("lanes", direction, workers)?;
            Ok(before.iter().zip(after).position(|(before, after)| *before < after))
        });
        connections[worker.unwrap()] = Some(connection);
        if connections.iter().all(Option::is_some) {
            return connections.into_iter().flatten().collect();
        }
    }
    panic!("500 connections missed a worker of {workers}");
}

fn in_on_one_worker_out_on_another(workers: u32) {
    let sidecar = Sidecar::start(workers, Behind::Echo, [("lanes", filter("lanes", &by("x-user-id")))]).unwrap();
    let mut inbound = connection_to_each(&sidecar, IN, workers);
    let mut outbound = connection_to_each(&sidecar, OUT, workers);
    for round in 0..10 {
        for (from, inbound) in inbound.iter_mut().enumerate() {
            for (to, outbound) in outbound.iter_mut().enumerate() {
                let (user, lane) = (format!("{round}-{from}-{to}"), format!("s{round}{from}{to}"));
                inbound.get(&[vec![("x-user-id", &user), ("x-asm-prefer-tag", &lane)]]).unwrap();
                let answer = outbound.get(&[vec![("x-user-id", &user)]]).unwrap().remove(0);
                let arrived = tag(&http1::decode(&answer.body).unwrap());
                assert_eq!(arrived, Some(lane), "in on worker {from}, out on worker {to}");
            }
        }
    }
}

#[test]
fn in_on_one_of_two_workers_out_on_the_other() {
    in_on_one_worker_out_on_another(2);
}

#[test]
fn in_on_one_of_four_workers_out_on_any() {
    in_on_one_worker_out_on_another(4);
}

/// Every trace header comes in with the request; the application takes one of them with it, and no route header.
#[test]
fn the_lane_holds_whatever_single_header_the_application_forwards() {
    let application = Application::start().unwrap();
    let headers = [
        ("x-user-id", "jessie"),
        ("x-request-id", "125a4afb-6f55-44ba-ad80-413f09f48a28"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
    ];
    let filters = headers.map(|(header, _)| (header, filter(header, &by(header))));
    let sidecar = Sidecar::start(2, Behind::Application(application.address()), filters).unwrap();
    for (header, _) in headers {
        let path = format!("/{header}");
        let mut request: HeaderList = [(":authority", "a"), (":method", "GET"), (":path", &path)].into_iter().collect();
        request.push("x-asm-prefer-tag", "s2");
        headers.iter().for_each(|(name, value)| request.push(*name, *value));
        application.call(header, sidecar.address(header, OUT).unwrap());
        let arrived = sidecar.arrived(header, IN, &request).unwrap();
        assert_eq!(tag(&arrived).as_deref(), Some("s2"), "{header}");
        for (name, _) in headers.iter().filter(|(name, _)| *name != header && *name != "x-request-id") {
            assert_eq!(arrived.all(name).count(), 0, "{name} was not forwarded with {header}");
        }
    }
}

/// A sidecar whose filter comes by discovery from a file, as in Istio.
struct Discovered {
    sidecar: Sidecar,
    discovery: Discovery,
}

impl Discovered {
    fn start(config: &str) -> Self {
        let discovery = Discovery::start(Kind::Extension, [filter("lanes", config)]).unwrap();
        let sidecar = Sidecar::start(2, Behind::Echo, [("lanes", discovery.filter("lanes"))]).unwrap();
        Self { sidecar, discovery }
    }

    fn update(&self, config: &str) {
        self.discovery.replace(Kind::Extension, [filter("lanes", config)]).unwrap();
    }

    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let waited = wait_until(what, LIMIT, || Ok(condition().then_some(())));
        waited.unwrap_or_else(|error| panic!("{error}\n{}", self.sidecar.envoy().log()));
    }

    fn remember(&self, user: &str, lane: &str) {
        self.sidecar.arrived("lanes", IN, &http1::get(&[("x-user-id", user), ("x-asm-prefer-tag", lane)])).unwrap();
    }

    fn lane(&self, user: &str) -> Option<String> {
        tag(&self.sidecar.arrived("lanes", OUT, &http1::get(&[("x-user-id", user)])).unwrap())
    }

    /// Both workers, and often enough to ask each.
    fn always(&self, user: &str, lane: Option<&str>) -> bool {
        (0..20).all(|_| self.lane(user).as_deref() == lane)
    }

    fn is_refused(&self) -> bool {
        let gauge = "wasmcustom.plugin=.=lanes;.;trace_propagation_configuration_refused";
        self.sidecar.envoy().counter(gauge).unwrap() == Some(1)
    }
}

#[test]
fn entries_survive_new_configurations_good_and_bad() {
    let plain = by("x-user-id");
    let with_label = json!({"traceHeader": "x-user-id", "routeHeaders": ["x-asm-prefer-tag"], "ttlSeconds": 600,
        "labelTag": "ASM_TRAFFIC_TAG"})
    .to_string();
    let pod = Discovered::start(&plain);
    let users: Vec<String> = (0..100).map(|number| format!("early-{number}")).collect();
    users.iter().for_each(|user| pod.remember(user, "s2"));
    let all_known = || users.iter().all(|user| pod.lane(user).as_deref() == Some("s2"));
    assert!(all_known());

    let flow = |number| {
        let user = format!("flowing-{number}");
        pod.remember(&user, "s3");
        assert_eq!(pod.lane(&user).as_deref(), Some("s3"), "{user}");
    };
    while_repeated(flow, || {
        for _ in 0..3 {
            pod.update(&with_label);
            pod.wait_for("the label decides", || pod.always("stranger", Some("v2")));
            assert!(all_known(), "after a good update");
            pod.update("no JSON");
            pod.wait_for("the bad configuration is refused", || pod.is_refused());
            assert!(all_known() && pod.always("stranger", Some("v2")), "after a bad update");
            pod.update(&plain);
            pod.wait_for("no label decides", || pod.always("stranger", None) && !pod.is_refused());
            assert!(all_known(), "back again");
        }
    });
}
