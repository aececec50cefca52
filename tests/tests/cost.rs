//! What a long configuration costs: eight times as much of anything takes about eight times as long.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use baggage_propagation::Propagator;
use hash_tagging::Tagger;
use header_edit::HeaderList;

const FEW: usize = 1_000;
const FACTOR: usize = 8;
/// Whatever compares each with all takes 64 times as long; n log n, with the caches of a machine that does other things,
/// 6 to 13.
const BOUND: u32 = 20;

/// The best of three times, which is the least disturbed.
fn time(run: impl Fn()) -> Duration {
    let once = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

/// Prepares each size, and compares what running them takes.
fn is_cheap<T>(what: &str, prepare: impl Fn(usize) -> T, run: impl Fn(&T)) {
    let [few, many] = [FEW, FEW * FACTOR].map(|number| {
        let prepared = prepare(number);
        time(|| run(&prepared))
    });
    assert!(many < few * BOUND, "{what}: {few:?} for {FEW}, {many:?} for {FACTOR} times as many");
}

fn list(number: usize, entry: impl Fn(usize) -> String) -> String {
    (0..number).fold(String::new(), |mut list, index| {
        let comma = if index == 0 { "" } else { "," };
        write!(list, "{comma}{}", entry(index)).unwrap();
        list
    })
}

fn rule(number: usize, fields: &str) -> String {
    format!(r#"{{"name": "rule-{number}", "header": "id", "modulo": 4294967295, "tagHeader": "tag", {fields}}}"#)
}

fn policy(number: usize) -> String {
    format!(r#"{{"range": {}, "tagValue": "s{number}"}}"#, number + 1)
}

fn query(number: usize) -> String {
    let fields = format!(r#""identity": [{{"query": "q{number}"}}], "policies": [{}]"#, policy(0));
    format!(r#"{{"modulo": 1, "tagHeader": "tag-{number}", {fields}}}"#)
}

fn tagger(json: &String) {
    Tagger::parse(json.as_bytes()).unwrap();
}

fn propagator(json: &String) {
    Propagator::parse(json.as_bytes()).unwrap();
}

#[test]
fn a_long_configuration_is_read_in_n_log_n() {
    let one_rule = |fields: String| format!(r#"{{"rules": [{}]}}"#, rule(0, &fields));
    let policies = |number| one_rule(format!(r#""policies": [{}]"#, list(number, policy)));
    is_cheap("policies", policies, tagger);
    let covered = |number| one_rule(format!(r#""policies": [{}]"#, list(number, |index| policy(number - index))));
    is_cheap("policies that are never reached", covered, tagger);
    let group = |index: usize| format!(r#"{{"values": ["u{index}", "v{index}"], "tagValue": "s{index}"}}"#);
    let users = |number| one_rule(format!(r#""users": [{}]"#, list(number, group)));
    is_cheap("users", users, tagger);
    let own = |index| rule(index, &format!(r#""policies": [{}]"#, policy(index)));
    is_cheap("rules", |number| format!(r#"{{"rules": [{}]}}"#, list(number, own)), tagger);
    is_cheap("names of query parameters", |number| format!(r#"{{"rules": [{}]}}"#, list(number, query)), tagger);

    let headers = |number| format!(r#"{{"headers": [{}]}}"#, list(number, |index| format!(r#""x-{index}""#)));
    is_cheap("headers", headers, propagator);
    let prefix = |index| format!(r#""x-{index}-""#);
    let prefixes = |number| {
        let members = list(number, |index| format!(r#"{{"key": "k{index}", "header": "h{index}"}}"#));
        format!(r#"{{"headerPrefixes": [{}], "members": [{members}]}}"#, list(number, prefix))
    };
    is_cheap("prefixes and members", prefixes, propagator);
}

/// As many rules ask for another parameter each as the query has parameters.
#[test]
fn a_query_is_parsed_once() {
    let prepare = |number| {
        let tagger = Tagger::parse(format!(r#"{{"rules": [{}]}}"#, list(number, query)).as_bytes()).unwrap();
        let path = (0..number).fold("/?".to_owned(), |path, index| path + &format!("q{index}=%41&"));
        let headers: HeaderList = [(":path", path)].into_iter().collect();
        assert_eq!(tagger.on_request(&headers).edits.len(), number);
        (tagger, headers)
    };
    is_cheap("a query", prepare, |(tagger, headers)| {
        tagger.on_request(headers);
    });
}
