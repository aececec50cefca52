//! New configurations for a running Envoy, good and bad, while requests flow.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use header_edit::HeaderList;
use local_mesh::{Envoy, EnvoyConfig, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;
use traffic_lanes_tests::{
    echo::Echo,
    http1, module, repository,
    wasm_listeners::{bootstrap, listener, string_value, wasm},
};

const LIMIT: Duration = Duration::from_secs(60);
const REFUSED: &str = "wasmcustom.plugin=.=lanes;.;hash_tagging_configuration_refused";
const BAD: &str = r#"{"rules": [{"header": "x-user-id", "modulo": 0, "tagHeader": "lane", "policies": []}]}"#;

/// How the filter's configuration reaches Envoy.
#[derive(Clone, Copy)]
enum Delivery {
    /// By extension configuration discovery, as in Istio.
    Ecds,
    /// With the whole listener.
    Lds,
}

struct Gateway {
    envoy: Envoy,
    delivery: Delivery,
    directory: TempDir,
    _echo: Echo,
}

impl Gateway {
    fn start(delivery: Delivery, configuration: &str) -> Self {
        let echo = Echo::start().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let watched = directory.path().join("watched.json");
        fs::write(&watched, discovery_response(delivery, configuration)).unwrap();
        let source = json!({"resource_api_version": "V3", "path_config_source": {"path": watched}});
        let mut bootstrap = match delivery {
            Delivery::Ecds => bootstrap(&[listener("gateway", &discovered(&source))], &echo),
            Delivery::Lds => bootstrap(&[], &echo),
        };
        if let Delivery::Lds = delivery {
            let object = bootstrap.as_object_mut().unwrap();
            object.insert("dynamic_resources".to_owned(), json!({"lds_config": source}));
        }
        let binary = Envoy::binary(repository()).unwrap();
        let config = EnvoyConfig::Text(bootstrap.to_string());
        let envoy = Envoy::builder(binary, config).concurrency(2).start().unwrap();
        Self { envoy, delivery, directory, _echo: echo }
    }

    fn address(&self) -> SocketAddr {
        self.envoy.listener_address("gateway").unwrap()
    }

    /// Envoy takes the file when it is renamed.
    fn update(&self, configuration: &str) {
        let aside = self.directory.path().join("new.json");
        fs::write(&aside, discovery_response(self.delivery, configuration)).unwrap();
        fs::rename(aside, self.directory.path().join("watched.json")).unwrap();
    }

    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let waited = wait_until(what, LIMIT, || Ok(condition().then_some(())));
        waited.unwrap_or_else(|error| panic!("{error}\n{}", self.envoy.log()));
    }

    fn is_refused(&self) -> bool {
        self.envoy.counter(REFUSED).unwrap() == Some(1)
    }

    /// Both workers, and often enough to ask each.
    fn always(&self, user: &str, tag: Option<&str>) -> bool {
        (0..20).all(|_| lane(self.address(), user).as_deref() == tag)
    }
}

fn discovered(source: &Value) -> Value {
    json!({"name": "lanes", "config_discovery": {
        "config_source": source,
        "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
    }})
}

fn discovery_response(delivery: Delivery, configuration: &str) -> String {
    let mut resource = wasm(&module("hash_tagging.wasm").unwrap(), "lanes", &string_value(configuration));
    let kind = match delivery {
        Delivery::Ecds => "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        Delivery::Lds => {
            resource = listener("gateway", &resource);
            "type.googleapis.com/envoy.config.listener.v3.Listener"
        }
    };
    resource.as_object_mut().unwrap().insert("@type".to_owned(), kind.into());
    json!({"resources": [resource]}).to_string()
}

fn ramp(range: u32) -> String {
    json!({"rules": [{
        "header": "x-user-id", "modulo": 100, "tagHeader": "lane",
        "policies": [{"range": range, "tagValue": "canary"}, {"range": 100, "tagValue": "stable"}],
    }]})
    .to_string()
}

/// The lane that the upstream sees; every request must be answered.
fn lane(gateway: SocketAddr, user: &str) -> Option<String> {
    let request = [(":authority", "a"), (":method", "GET"), (":path", "/"), ("x-user-id", user)];
    let response = http1::send(gateway, &request.into_iter().collect()).unwrap();
    assert_eq!(response.status, 200, "{}", response.body.escape_ascii());
    let arrived: HeaderList = http1::decode(&response.body).unwrap();
    arrived.all("lane").next().map(|tag| String::from_utf8(tag.to_vec()).unwrap())
}

/// Runs `updates` while requests flow; says how many were answered, all of them with an allowed lane.
fn while_requests_flow(gateway: SocketAddr, user: &str, allowed: &[Option<&str>], updates: impl FnOnce()) -> usize {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let flow = scope.spawn(|| {
            let mut answered = 0;
            while !stop.load(Ordering::Relaxed) {
                let lane = lane(gateway, user);
                assert!(allowed.contains(&lane.as_deref()), "{user} in {lane:?}");
                answered += 1;
            }
            answered
        });
        let stop_flow = StopOnDrop(&stop);
        updates();
        drop(stop_flow);
        flow.join().unwrap()
    })
}

/// Ends the flow also when the updates panic, so that the test fails instead of hanging.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn a_bad_configuration_at_start_lets_requests_pass(delivery: Delivery) {
    let gateway = Gateway::start(delivery, BAD);
    assert!(gateway.always("jessie", None));
    assert!(gateway.is_refused());
    let log = gateway.envoy.log();
    assert!(log.contains("rules[0].modulo: expected 1 to 4294967295 buckets, not 0"), "{log}");
    assert!(log.contains("requests pass untouched"), "{log}");
    let answered = while_requests_flow(gateway.address(), "jessie", &[None, Some("canary")], || {
        gateway.update(&ramp(20));
        gateway.wait_for("the good configuration serves", || {
            gateway.always("jessie", Some("canary")) && !gateway.is_refused()
        });
    });
    assert!(answered > 0);
}

fn a_bad_update_leaves_the_old_configuration_serving(delivery: Delivery) {
    let gateway = Gateway::start(delivery, &ramp(20));
    for round in 1..=3 {
        let answered = while_requests_flow(gateway.address(), "jessie", &[Some("canary")], || {
            gateway.update(BAD);
            gateway.wait_for("the bad configuration is refused", || gateway.is_refused());
            assert!(gateway.always("jessie", Some("canary")), "round {round}");
            assert!(gateway.always("bob", Some("stable")), "round {round}");
            gateway.update("no JSON");
            gateway
                .wait_for("the second refusal is logged", || gateway.envoy.log().matches("not JSON").count() >= round);
            assert!(gateway.always("jessie", Some("canary")), "round {round}");
            gateway.update(&ramp(20));
            gateway.wait_for("the good configuration is accepted", || !gateway.is_refused());
        });
        assert!(answered > 0);
    }
    let log = gateway.envoy.log();
    assert!(log.contains("the previous configuration keeps serving"), "{log}");
}

fn a_ramp_loses_no_request(delivery: Delivery) {
    let gateway = Gateway::start(delivery, &ramp(20));
    let (canary, stable) = (Some("canary"), Some("stable"));
    let answered = while_requests_flow(gateway.address(), "bob", &[canary, stable], || {
        for (range, lane) in [(50, canary), (0, stable), (20, stable), (100, canary), (44, stable), (45, canary)] {
            gateway.update(&ramp(range));
            gateway.wait_for(&format!("bob at {range}"), || gateway.always("bob", lane));
        }
    });
    assert!(answered > 0);
}

#[test]
fn ecds_a_bad_configuration_at_start_lets_requests_pass() {
    a_bad_configuration_at_start_lets_requests_pass(Delivery::Ecds);
}

#[test]
fn lds_a_bad_configuration_at_start_lets_requests_pass() {
    a_bad_configuration_at_start_lets_requests_pass(Delivery::Lds);
}

#[test]
fn ecds_a_bad_update_leaves_the_old_configuration_serving() {
    a_bad_update_leaves_the_old_configuration_serving(Delivery::Ecds);
}

#[test]
fn lds_a_bad_update_leaves_the_old_configuration_serving() {
    a_bad_update_leaves_the_old_configuration_serving(Delivery::Lds);
}

#[test]
fn ecds_a_ramp_loses_no_request() {
    a_ramp_loses_no_request(Delivery::Ecds);
}

#[test]
fn lds_a_ramp_loses_no_request() {
    a_ramp_loses_no_request(Delivery::Lds);
}
