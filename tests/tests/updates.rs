//! New configurations for a running Envoy, good and bad, while requests flow. Trace propagation's are in
//! `trace_workers.rs`, with what it remembers.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use libtest_mimic::{Arguments, Trial};
use local_mesh::{Envoy, wait_until};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    discovery::{Discovery, Kind},
    filter::Filter,
    http1,
    load::while_repeated,
    wasm_listeners::{bootstrap, listener, run, string_value, wasm},
};

const LIMIT: Duration = Duration::from_secs(60);

type Test = (&'static str, fn(Delivery, Subject));

const TESTS: [Test; 4] = [
    ("a bad configuration at start lets requests pass", a_bad_configuration_at_start_lets_requests_pass),
    ("a bad update leaves the old configuration serving", a_bad_update_leaves_the_old_configuration_serving),
    ("a bad update leaves what was rolled back to", a_bad_update_leaves_what_was_rolled_back_to),
    ("a ramp loses no request", a_ramp_loses_no_request),
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for subject in [hash_tagging, baggage_propagation] {
        for delivery in [Delivery::Ecds, Delivery::Lds] {
            for (name, test) in TESTS {
                let name = format!("{}, {delivery:?}: {name}", subject().filter.name());
                trials.push(Trial::test(name, move || {
                    test(delivery, subject());
                    Ok(())
                }));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A filter, and what becomes of one request under its configurations.
struct Subject {
    filter: Filter,
    /// The line that the request has.
    line: (&'static str, &'static str),
    /// Good configurations, each with the value of the header `lane` that it gives the request, which has none.
    ramp: Vec<(String, &'static str)>,
    bad: &'static str,
    /// What is wrong about the bad one.
    message: &'static str,
}

fn hash_tagging() -> Subject {
    let ramp = |(range, lane): (u32, _)| {
        let policies = json!([{"range": range, "tagValue": "canary"}, {"range": 100, "tagValue": "stable"}]);
        let rule = json!({"header": "x-user-id", "modulo": 100, "tagHeader": "lane", "policies": policies});
        (json!({"rules": [rule]}).to_string(), lane)
    };
    let ranges = [(20, "stable"), (50, "canary"), (0, "stable"), (100, "canary"), (44, "stable"), (45, "canary")];
    Subject {
        filter: Filter::HashTagging,
        line: ("x-user-id", "bob"),
        ramp: ranges.map(ramp).into(),
        bad: r#"{"rules": [{"header": "x-user-id", "modulo": 0, "tagHeader": "lane", "policies": []}]}"#,
        message: "rules[0].modulo: expected 1 to 4294967295 buckets, not 0",
    }
}

fn baggage_propagation() -> Subject {
    let from = |key: &'static str| {
        let members = json!([{"key": key, "header": "lane"}]);
        (json!({"members": members, "direction": "outbound"}).to_string(), key)
    };
    Subject {
        filter: Filter::BaggagePropagation,
        line: ("baggage", "stable=stable,canary=canary"),
        ramp: ["canary", "stable", "canary", "stable"].map(from).into(),
        bad: r#"{"members": [{"key": "a b", "header": "lane"}]}"#,
        message: "members[0].key: not a key of baggage",
    }
}

/// How the filter's configuration reaches Envoy.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// By extension configuration discovery, as in Istio.
    Ecds,
    /// With the whole listener.
    Lds,
}

struct Gateway {
    envoy: Envoy,
    subject: Subject,
    delivery: Delivery,
    discovery: Discovery,
}

impl Gateway {
    fn start(delivery: Delivery, subject: Subject, configuration: &str) -> Self {
        let (kind, resource) = delivery.resource(subject.filter, configuration);
        let discovery = Discovery::start(kind, [resource]).unwrap();
        let bootstrap = match delivery {
            Delivery::Ecds => bootstrap(&[listener("gateway", None, &[discovery.filter("lanes")])]),
            Delivery::Lds => discovery.bootstrap(),
        };
        Self { envoy: run(&bootstrap.unwrap()).unwrap(), subject, delivery, discovery }
    }

    fn address(&self) -> SocketAddr {
        self.envoy.listener_address("gateway").unwrap()
    }

    fn update(&self, configuration: &str) {
        let (kind, resource) = self.delivery.resource(self.subject.filter, configuration);
        self.discovery.replace(kind, [resource]).unwrap();
    }

    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let waited = wait_until(what, LIMIT, || Ok(condition().then_some(())));
        waited.unwrap_or_else(|error| panic!("{error}\n{}", self.envoy.log()));
    }

    fn is_refused(&self) -> bool {
        let gauge = format!("wasmcustom.{}", self.subject.filter.refused_gauge("lanes"));
        self.envoy.counter(&gauge).unwrap() == Some(1)
    }

    /// Both workers, and often enough to ask each.
    fn always(&self, expected: Option<&str>) -> bool {
        let address = self.address();
        (0..20).all(|_| lane(address, self.subject.line).as_deref() == expected)
    }

    /// Runs `updates` while requests flow, all of which must be answered, with an allowed lane.
    fn while_requests_flow(&self, allowed: &[Option<&str>], updates: impl FnOnce()) {
        let (address, line) = (self.address(), self.subject.line);
        let request = |_| {
            let lane = lane(address, line);
            assert!(allowed.contains(&lane.as_deref()), "{lane:?}");
        };
        while_repeated(request, updates);
    }
}

impl Delivery {
    fn resource(self, filter: Filter, configuration: &str) -> (Kind, Value) {
        let filter = wasm(&filter.module().unwrap(), "lanes", &string_value(configuration));
        match self {
            Self::Ecds => (Kind::Extension, filter),
            Self::Lds => (Kind::Listener, listener("gateway", None, &[filter])),
        }
    }
}

/// The lane that the upstream sees; every request must be answered.
fn lane(gateway: SocketAddr, line: (&str, &str)) -> Option<String> {
    http1::text(&http1::arrived(gateway, &http1::get(&[line])).unwrap(), "lane")
}

fn a_bad_configuration_at_start_lets_requests_pass(delivery: Delivery, subject: Subject) {
    let (bad, (good, lane)) = (subject.bad, subject.ramp[0].clone());
    let gateway = Gateway::start(delivery, subject, bad);
    assert!(gateway.always(None));
    assert!(gateway.is_refused());
    let log = gateway.envoy.log();
    assert!(log.contains(gateway.subject.message), "{log}");
    assert!(log.contains("requests pass untouched"), "{log}");
    gateway.while_requests_flow(&[None, Some(lane)], || {
        gateway.update(&good);
        gateway.wait_for("the good configuration serves", || gateway.always(Some(lane)) && !gateway.is_refused());
    });
}

fn a_bad_update_leaves_the_old_configuration_serving(delivery: Delivery, subject: Subject) {
    let (good, lane) = subject.ramp[0].clone();
    let gateway = Gateway::start(delivery, subject, &good);
    for round in 1..=3 {
        gateway.while_requests_flow(&[Some(lane)], || {
            gateway.update(gateway.subject.bad);
            gateway.wait_for("the bad configuration is refused", || gateway.is_refused());
            assert!(gateway.always(Some(lane)), "round {round}");
            gateway.update("no JSON");
            gateway
                .wait_for("the second refusal is logged", || gateway.envoy.log().matches("not JSON").count() >= round);
            assert!(gateway.always(Some(lane)), "round {round}");
            gateway.update(&good);
            gateway.wait_for("the good configuration is accepted", || !gateway.is_refused());
        });
    }
    let log = gateway.envoy.log();
    assert!(log.contains("the previous configuration keeps serving"), "{log}");
}

fn a_bad_update_leaves_what_was_rolled_back_to(delivery: Delivery, subject: Subject) {
    let [first, second] = [subject.ramp[0].clone(), subject.ramp[1].clone()];
    let gateway = Gateway::start(delivery, subject, &first.0);
    for (configuration, lane) in [&second, &first] {
        gateway.update(configuration);
        gateway.wait_for(lane, || gateway.always(Some(lane)));
    }
    gateway.update(gateway.subject.bad);
    gateway.wait_for("the bad configuration is refused", || gateway.is_refused());
    assert!(gateway.always(Some(first.1)), "{}", gateway.envoy.log());
}

fn a_ramp_loses_no_request(delivery: Delivery, subject: Subject) {
    let ramp = subject.ramp.clone();
    let gateway = Gateway::start(delivery, subject, &ramp[0].0);
    gateway.while_requests_flow(&[Some("canary"), Some("stable")], || {
        for (configuration, lane) in &ramp {
            gateway.update(configuration);
            gateway.wait_for(&format!("{lane} under {configuration}"), || gateway.always(Some(lane)));
        }
    });
}
