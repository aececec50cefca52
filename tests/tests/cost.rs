//! What a long configuration costs: eight times as much of anything takes about eight times as long.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fmt::Write,
    iter,
    time::{Duration, Instant},
};

use baggage_propagation::Propagator;
use hash_tagging::Tagger;
use header_edit::HeaderList;

const FEW: usize = 1_000;
const FACTOR: u32 = 8;
/// Whatever compares each with all takes eight times as long for the many at once as for the few eight times; n log n, with
/// the caches of a machine, up to twice as long.
const BOUND: u32 = 3;
/// A machine that does other things disturbs some of the attempts.
const ATTEMPTS: usize = 5;

fn time(run: impl Fn()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Compares what eight times as many take with what few take eight times.
fn is_cheap<T>(what: &str, prepare: impl Fn(usize) -> T, run: impl Fn(&T)) {
    let (few, many) = (prepare(FEW), prepare(FEW * FACTOR as usize));
    let attempt = || {
        let few = time(|| (0..FACTOR).for_each(|_| run(&few)));
        (few, time(|| run(&many)))
    };
    let mut attempts = iter::repeat_with(attempt).take(ATTEMPTS);
    assert!(attempts.any(|(few, many)| many < few * BOUND), "{what}: {FACTOR} times as many cost too much");
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
