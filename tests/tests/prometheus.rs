//! What Prometheus knows of a mesh: a real one scrapes a real one, with the rules that the repository has.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    cell::RefCell,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use hash_tagging::fnv1a32;
use local_mesh::{Client, Mesh, Pod, wait_until};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    prometheus::{Prometheus, promtool},
    repository,
    walkthrough::start_changed,
};

const LIMIT: Duration = Duration::from_secs(90);

fn observability() -> PathBuf {
    repository().join("manifests/observability")
}

/// The lane's mockc answers 500 to jack, and the gateway's access log says why a request is in its lane.
fn changed(text: &str) -> String {
    let jack = json!([{"name": "x-user-id", "string_match": {"exact": "jack"}}]);
    let route = json!({"match": {"prefix": "/", "headers": jack}, "direct_response": {"status": 500}});
    let (routes, tag) = ("routes:\n              - match:", r#""tagHeader": "x-asm-prefer-tag""#);
    if text.contains("The sidecar of mockc in lane s2") {
        return text.replacen(routes, &format!("routes:\n              - {route}\n              - match:"), 1);
    }
    text.replace(tag, &format!(r#"{tag}, "decisionHeader": "x-lane-decision""#))
        .replace("          stat_prefix: gateway\n", &format!("          stat_prefix: gateway\n{}", access_log()))
}

fn access_log() -> String {
    let text = fs::read_to_string(observability().join("access-log.yaml")).unwrap();
    text.lines().map(|line| format!("          {line}\n")).collect()
}

/// Every proxy of the mesh, with the labels that the rules ask for.
fn targets(mesh: &Mesh) -> Vec<Value> {
    let target = |pod: &Pod| {
        let labels = match pod.name().split_once('-') {
            None => json!({"proxy": "gateway"}),
            Some((service, lane)) => {
                json!({"proxy": "sidecar", "namespace": "default", "service": service, "pod_lane": lane})
            }
        };
        json!({"targets": [pod.admin_address().unwrap()], "labels": labels})
    };
    mesh.pods().iter().map(target).collect()
}

fn config(mesh: &Mesh) -> Value {
    let rules = ["rules/envoy.yaml", "rules/lanes.yaml", "groups/user-segment.yaml"];
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": rules.map(|file| observability().join(file)),
        "scrape_configs": [{
            "job_name": "lanes",
            "metrics_path": "/stats/prometheus",
            "params": {"usedonly": [""]},
            "static_configs": targets(mesh),
        }],
    })
}

/// Two hundred users, one like the other, and jack with every tenth of them.
fn users() -> Vec<String> {
    let jack = |number: usize| number.is_multiple_of(10).then(|| "jack".to_owned());
    (0..200).flat_map(|number| [Some(format!("user-{number}")), jack(number)]).flatten().collect()
}

fn is_in_lane(user: &str) -> bool {
    fnv1a32(user.as_bytes()) % 100 < 20
}

fn share(of: impl Fn(&str) -> bool, among: impl Fn(&str) -> bool) -> f64 {
    let users = users();
    let number = |counts: &dyn Fn(&str) -> bool| users.iter().filter(|user| counts(user)).count() as f64;
    number(&|user| of(user) && among(user)) / number(&among)
}

/// Runs `happening` while the users come, again and again.
fn while_users_come(gateway: &str, happening: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            let client = Client::new(gateway);
            let users = users();
            for user in users.iter().cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
                client.send("GET", &[("x-user-id", user)]).unwrap();
            }
        });
        let _stop = Stop(&stop);
        happening();
    });
}

struct Seen(Prometheus);

impl Seen {
    /// Waits until the query gives one series, and the value is as asked.
    fn expect(&self, query: &str, is_right: impl Fn(f64) -> bool) {
        let last = RefCell::new(Vec::new());
        let seen = || {
            last.replace(self.0.ask(query)?);
            Ok(matches!(last.borrow().as_slice(), [one] if is_right(one.value)).then_some(()))
        };
        wait_until(query, LIMIT, seen).unwrap_or_else(|error| panic!("{error}: {:?}", last.borrow()));
    }

    fn expect_about(&self, query: &str, expected: f64) {
        self.expect(query, |value| (value - expected).abs() < 0.04);
    }

    fn expect_nothing(&self, query: &str) {
        let samples = self.0.ask(query).unwrap();
        assert!(samples.is_empty(), "{query}: {samples:?}");
    }

    fn expect_alert(&self, name: &str) {
        let is_there = || Ok(self.0.alerts()?.iter().any(|alert| alert == name).then_some(()));
        wait_until(name, LIMIT, is_there).unwrap_or_else(|error| panic!("{error}: {:?}", self.0.alerts()));
    }
}

/// Waits for a line of the gateway's access log with these fields.
fn expect_logged(mesh: &Mesh, expected: &Value) {
    let log = || mesh.pod("gateway").unwrap().envoy().unwrap().log();
    let is_it = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        expected.as_object().unwrap().iter().all(|(name, value)| line[name] == *value)
    };
    let last = || log().lines().rfind(|line| line.starts_with('{')).map(str::to_owned);
    wait_until("the access log has it", LIMIT, || Ok(log().lines().any(is_it).then_some(())))
        .unwrap_or_else(|error| panic!("{error}: {expected}, but {:?}", last()));
}

/// The queries of the dashboard, each with the title of its panel, for this lane group.
fn dashboard() -> Vec<(String, String)> {
    let text = fs::read_to_string(observability().join("grafana/lanes.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let variables = [("$group", "user-segment"), ("$service", ".+"), ("$lane", ".+"), ("$__rate_interval", "1m")];
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().unwrap().to_owned();
            let query = variables.iter().fold(query, |query, (name, value)| query.replace(name, value));
            assert!(!query.contains('$'), "{title}: {query}");
            queries.push((title.to_owned(), query));
        }
    }
    queries
}

#[test]
fn rules_and_configuration_are_as_promtool_wants_them() {
    let names = |folder: &str| {
        let files = fs::read_dir(observability().join(folder)).unwrap();
        files.map(|file| format!("{folder}/{}", file.unwrap().file_name().to_str().unwrap())).collect::<Vec<_>>()
    };
    let with = |command: [&'static str; 2], files: Vec<String>| {
        let arguments: Vec<&str> = command.into_iter().chain(files.iter().map(String::as_str)).collect();
        promtool(&arguments).unwrap();
    };
    with(["check", "rules"], [names("rules"), names("groups")].concat());
    with(["test", "rules"], names("tests"));
    with(["check", "config"], vec!["--syntax-only".to_owned(), "prometheus.yaml".to_owned()]);
}

#[test]
fn prometheus_answers_what_is_asked_about_lanes() {
    let mut mesh = start_changed("user-segment", changed).unwrap();
    let seen = Seen(Prometheus::start(&config(&mesh)).unwrap());
    while_users_come(&mesh.gateway_url().unwrap(), || {
        // Intended, and actual: jack is one user, and sends many requests.
        seen.expect_about(r#"lanes:share:intended{group="user-segment",lane="s2"}"#, 0.2);
        seen.expect_about(r#"lanes:share:actual{group="user-segment",lane="s2"}"#, share(is_in_lane, |_| true));
        for service in ["mocka", "mockb", "mockc"] {
            for lane in ["s1", "s2"] {
                let labels =
                    format!(r#"{{group="user-segment",namespace="default",service="{service}",lane="{lane}"}}"#);
                seen.expect(&format!("lanes:requests:rate5m{labels}"), |rate| rate > 0.0);
                let buckets = format!("lanes:duration_milliseconds_bucket:rate5m{labels}");
                seen.expect(&format!("histogram_quantile(0.95, {buckets})"), |milliseconds| milliseconds > 0.0);
            }
        }
        // Only the gateway's requests enter.
        seen.expect(r#"count by (service) (lanes:entered:rate5m)"#, |lanes| lanes == 2.0);
        seen.expect_about(
            r#"lanes:error_ratio:rate5m{service="mockc",lane="s2"}"#,
            share(|user| user == "jack", is_in_lane),
        );
        seen.expect(r#"lanes:error_ratio:rate5m{service="mockc",lane="s1"}"#, |ratio| ratio == 0.0);
        for alert in ["LaneErrors", "LaneShare"] {
            seen.expect_alert(alert);
        }
        // The lane has no mockb: all its requests fall back there, which is no alert.
        seen.expect(r#"lanes:fallbacks:rate5m{service="mockb",lane="s2",answered="s1"}"#, |rate| rate > 0.0);
        seen.expect_nothing(r#"lanes:fallbacks:rate5m{service="mockc"}"#);
        seen.expect_nothing(
            r#"ALERTS{alertname=~"LaneFallsBack|LaneLeaks|LanePropagationMisses|LaneConfigurationRefused"}"#,
        );
        seen.expect("max(hash_tagging_configuration_refused)", |refused| refused == 0.0);

        let jessie = Client::new(mesh.gateway_url().unwrap()).send("GET", &[("x-user-id", "jessie")]).unwrap();
        assert_eq!(jessie.chain().unwrap().to_string(), "v1,v1,v2");
        expect_logged(
            &mesh,
            &json!({
                "lane": "s2", "decision": "rule=rule-0;by=hash;bucket=16/100;tag=s2", "status": 200, "flags": "-", "attempts": 1,
                "cluster": "outbound|8000|s2|mocka.default.svc.cluster.local",
            }),
        );

        mesh.kill_pod("mockc-s2").unwrap();
        seen.expect(r#"lanes:fallback_ratio:rate5m{service="mockc",lane="s2"}"#, |ratio| ratio > 0.01);
        seen.expect_alert("LaneFallsBack");
        let published = fs::read_to_string(mesh.directory().join("hash-tagging.yaml")).unwrap();
        mesh.update("hash-tagging.yaml", &published.replace(r#""modulo": 100"#, r#""modulo": 0"#)).unwrap();
        seen.expect("max(hash_tagging_configuration_refused)", |refused| refused == 1.0);
        seen.expect_alert("LaneConfigurationRefused");
        for (panel, query) in dashboard() {
            let samples = seen.0.ask(&query).unwrap();
            assert!(!samples.is_empty(), "the panel {panel:?} is empty: {query}");
        }
    });
}
