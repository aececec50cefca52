//! Generated hostile requests, by HTTP/1.1 and HTTP/2, to each filter in a real Envoy, and to the same Envoy without it: no answer
//! that Envoy alone would not give, and no other header that changes. `HOSTILE_REQUESTS` for each filter; prints what came of it, and
//! with `HOSTILE_TABLE` writes it there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod draw;
mod http2;

use std::{
    env, fs,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Result, anyhow, ensure};
use header_edit::{Directed, Direction, HeaderList};
use libtest_mimic::{Arguments, Trial};
use traffic_lanes_tests::{
    filter::Filter,
    http1,
    wasm_listeners::{WasmListeners, bootstrap, listener, run, string_value, wasm},
};

const REQUESTS: usize = 3_000;
const CLIENTS: usize = 8;
/// What may come and go in an Envoy that serves requests of up to 60 KiB.
const GROWTH: f64 = 8.0;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

type Oracle = Box<dyn Fn(&HeaderList) -> HeaderList + Send + Sync>;

/// A filter under attack.
struct Subject {
    filter: Filter,
    name: &'static str,
    configuration: &'static str,
    direction: Option<Direction>,
    /// What it makes of the headers that it gets.
    oracle: fn(&'static str, Option<Direction>) -> Oracle,
    /// What a request to it must have to be changed.
    probe: (&'static str, &'static str),
}

const SUBJECTS: [Subject; 3] = [
    Subject {
        filter: Filter::HashTagging,
        name: "hash tagging",
        configuration: r#"{"clients": "mayNot", "rules": [{
            "identity": [{"header": "x-user-id"}, {"cookie": "uid"}, {"query": "uid"}],
            "modulo": 4294967295, "tagHeader": "lane", "decisionHeader": "x-lane-decision",
            "policies": [{"range": 858993459, "tagValue": "s2"}, {"range": 4294967295, "tagValue": "s1"}]}]}"#,
        direction: None,
        oracle: |configuration, direction| {
            let tagger = hash_tagging::Tagger::parse(configuration.as_bytes()).unwrap();
            Box::new(move |headers| {
                let request = Directed { headers: headers.clone(), direction };
                let mut after = headers.clone();
                after.apply(tagger.on_request(&request).edits);
                after
            })
        },
        probe: ("x-user-id", "jessie"),
    },
    Subject {
        filter: Filter::BaggagePropagation,
        name: "baggage propagation",
        configuration: r#"{"headers": ["lane"], "headerPrefixes": ["x-lane-"], "direction": "both"}"#,
        direction: None,
        oracle: |configuration, direction| {
            let propagator = baggage_propagation::Propagator::parse(configuration.as_bytes()).unwrap();
            Box::new(move |headers| {
                let request = Directed { headers: headers.clone(), direction };
                let mut after = headers.clone();
                after.apply(propagator.on_request(&request).edits);
                after
            })
        },
        probe: ("baggage", "lane=s2"),
    },
    Subject {
        filter: Filter::TracePropagation,
        name: "trace propagation",
        configuration: r#"{"traceHeader": "x-user-id", "routeHeaders": ["lane"]}"#,
        direction: Some(Direction::Inbound),
        // An inbound request is remembered, and never changed.
        oracle: |_, _| Box::new(HeaderList::clone),
        probe: ("x-user-id", "jessie"),
    },
];

/// Where the requests go.
struct Target {
    alone: SocketAddr,
    filtered: SocketAddr,
    oracle: Oracle,
    done: AtomicUsize,
    refused: AtomicUsize,
}

fn main() -> ExitCode {
    let requests = env::var("HOSTILE_REQUESTS").map_or(REQUESTS, |requests| requests.parse().unwrap());
    let table = Arc::new(Mutex::new(
        "| filter | requests | of them HTTP/2 | refused by Envoy | other answers, changed headers | memory in the second half |\n\
         |---|---:|---:|---:|---:|---:|\n"
            .to_owned(),
    ));
    let trial = |subject: &'static Subject| {
        let table = table.clone();
        Trial::test(subject.name, move || {
            let row = subject.attack(requests).map_err(|error| format!("{error:#}"))?;
            *table.lock().unwrap() += &row;
            Ok(())
        })
    };
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, SUBJECTS.iter().map(trial).collect());
    let table = table.lock().unwrap();
    println!("{table}");
    if let Some(file) = env::var_os("HOSTILE_TABLE") {
        fs::write(file, &*table).unwrap();
    }
    conclusion.exit_code()
}

impl Subject {
    fn attack(&self, requests: usize) -> Result<String> {
        let module = self.filter.module()?;
        let filter = wasm(&module, "filtered", &string_value(self.configuration));
        let listeners = [listener("alone", self.direction, &[]), listener("filtered", self.direction, &[filter])];
        let envoy = WasmListeners::of(run(&bootstrap(&listeners)?)?, vec!["alone".to_owned(), "filtered".to_owned()])?;
        let target = Target {
            alone: envoy.address("alone")?,
            filtered: envoy.address("filtered")?,
            oracle: (self.oracle)(self.configuration, self.direction),
            done: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        };
        let memory = || Ok::<_, anyhow::Error>(envoy.envoy.resident_memory()? as f64 / MEBIBYTE);
        target.attack(requests / 2, 0)?;
        let half = memory()?;
        target.attack(requests - requests / 2, 1)?;
        let grown = memory()? - half;
        self.still_serves(&envoy)?;
        ensure!(grown < GROWTH, "{}: the memory grew by {grown:.1} MiB", self.name);
        let (done, refused) = (target.done.into_inner(), target.refused.into_inner());
        ensure!(done == requests && refused < done, "{done} were sent, {refused} refused");
        Ok(format!("| {} | {done} | {} | {refused} | 0 | {grown:+.1} MiB |\n", self.name, done / 2))
    }

    /// At every worker.
    fn still_serves(&self, envoy: &WasmListeners) -> Result<()> {
        for _ in 0..20 {
            let request = http1::get(&[self.probe]);
            let arrived = envoy.arrived("filtered", &request)?;
            ensure!(
                self.direction.is_some() || arrived.all("lane").count() == 1,
                "{} no longer does anything",
                self.name
            );
        }
        let log = envoy.envoy.log();
        ensure!(!log.contains("Function: proxy_on"), "the filter failed: {log}");
        Ok(())
    }
}

impl Target {
    /// Half of the requests by each version of HTTP.
    fn attack(&self, requests: usize, seed: u64) -> Result<()> {
        thread::scope(|scope| {
            let clients = (0..CLIENTS).map(|client| {
                let count = requests / CLIENTS + usize::from(client < requests % CLIENTS);
                let seed = seed * CLIENTS as u64 + client as u64;
                scope.spawn(move || match client % 2 {
                    0 => self.by_http1(count, seed),
                    _ => http2::attack(self, count, seed),
                })
            });
            let clients: Vec<_> = clients.collect();
            clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
        })
    }

    fn by_http1(&self, count: usize, seed: u64) -> Result<()> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut connections = [self.alone, self.filtered].map(http1::Kept::new);
        for _ in 0..count {
            let request = draw::request(&mut random, true);
            let mut answers = Vec::new();
            for connection in &mut connections {
                let response = connection.send(&request)?;
                answers.push((response.status, response.body));
            }
            self.judge(&request, &answers)?;
        }
        Ok(())
    }

    /// What came back from Envoy alone, and with the filter.
    fn judge(&self, request: &HeaderList, answers: &[(u16, Vec<u8>)]) -> Result<()> {
        let [(alone, expected), (filtered, arrived)] = answers else { return Err(anyhow!("two answers")) };
        ensure!(alone == filtered, "{filtered} instead of {alone} for {request:?}");
        self.done.fetch_add(1, Ordering::Relaxed);
        if *alone != 200 {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let expected = (self.oracle)(&http1::decode(expected)?);
        let (expected, arrived) = (by_name(&expected), by_name(&http1::decode(arrived)?));
        ensure!(expected == arrived, "expected {expected:?}, got {arrived:?} for {request:?}");
        Ok(())
    }
}

/// Lines by name, in their order; but for the id that Envoy draws.
fn by_name(headers: &HeaderList) -> Vec<(String, Vec<u8>)> {
    let lines = headers.lines().filter(|(name, _)| *name != "x-request-id");
    let mut lines: Vec<_> = lines.map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    lines.sort_by(|(name, _), (other, _)| name.cmp(other));
    lines
}
