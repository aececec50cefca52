//! Isolation: a hundred thousand requests over all lanes at once, and none in a wrong lane at any hop. Prints how many reached
//! which version of each service.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    process::ExitCode,
    sync::{Arc, Mutex},
    thread,
};

use anyhow::{Context, Result, anyhow, ensure};
use hash_tagging::fnv1a32;
use libtest_mimic::{Arguments, Trial};
use local_mesh::Client;
use traffic_lanes_tests::walkthrough::{lanes, start_changed};

/// Of each walkthrough: a hundred thousand. `permissive_baggage.rs` sends its own.
const REQUESTS: [(&str, usize); 4] =
    [("permissive", 25_000), ("strict", 25_000), ("strict-source-labels", 25_000), ("user-segment", 25_000)];
/// Enough for every proxy to have requests of all lanes at every moment.
const CLIENTS: usize = 16;
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "PATCH"];

/// A request, and where it must go.
struct Request {
    lane: String,
    method: &'static str,
    header: (&'static str, String),
    chain: &'static str,
}

/// By lane and expected chain: how many reached which version of which service.
type Reached = BTreeMap<(String, &'static str), [BTreeMap<String, usize>; 3]>;

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let report = Arc::<Mutex<String>>::default();
    let trial = |(walkthrough, requests): (&'static str, usize)| {
        let report = report.clone();
        Trial::test(walkthrough, move || {
            let reached = send(walkthrough, requests).map_err(|error| format!("{error:#}"))?;
            write!(report.lock().unwrap(), "{}", shown(walkthrough, &reached))?;
            Ok(check(&reached, requests)?)
        })
    };
    let conclusion = libtest_mimic::run(&arguments, REQUESTS.map(trial).into_iter().collect());
    print!("{}", report.lock().unwrap());
    conclusion.exit_code()
}

/// The `number`th request, so that requests of all lanes follow each other.
fn request(walkthrough: &str, number: usize) -> Option<Request> {
    let method = *METHODS.get(number / 7 % METHODS.len())?;
    if walkthrough == "user-segment" {
        // Every other request is of a user of his own, whom no proxy knows yet; the rest are of a few.
        let user =
            if number.is_multiple_of(2) { format!("user-{number}") } else { format!("regular-{}", number % 100) };
        let is_canary = fnv1a32(user.as_bytes()) % 100 < 20;
        let (lane, chain) = if is_canary { ("s2", "v1,v1,v2") } else { ("s1", "v1,v1,v1") };
        return Some(Request { lane: lane.to_owned(), method, header: ("x-user-id", user), chain });
    }
    let lanes = lanes(walkthrough);
    let lane = lanes.get(number % lanes.len())?;
    let (name, value) = lane.header;
    Some(Request { lane: lane.name.to_owned(), method, header: (name, value.to_owned()), chain: lane.chain })
}

fn send(walkthrough: &'static str, requests: usize) -> Result<Reached> {
    // On a machine that stands still for seconds a pod would be taken for dead, and its lane would rightly fall back.
    let patient = |text: &str| text.replace("- timeout: 2s", "- timeout: 30s");
    let mesh = start_changed(walkthrough, patient)?;
    let gateway = mesh.gateway_url()?;
    let send = |first: usize| {
        let client = Client::new(&gateway);
        let mut reached = Reached::new();
        for Request { lane, method, header, chain } in
            (first..requests).step_by(CLIENTS).filter_map(|number| request(walkthrough, number))
        {
            let answer = client.send(method, &[(header.0, &header.1)]).and_then(|answer| answer.chain());
            let answer = answer.with_context(|| format!("{method} with {}: {}", header.0, header.1))?;
            let hops = reached.entry((lane, chain)).or_default();
            ensure!(answer.0.len() == hops.len(), "{method} went through {answer}");
            for (hop, version) in hops.iter_mut().zip(answer.0) {
                *hop.entry(version).or_default() += 1;
            }
        }
        anyhow::Ok(reached)
    };
    let mut all = Reached::new();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|first| scope.spawn(move || send(first))).collect();
        for client in clients {
            for (lane, hops) in client.join().map_err(|_| anyhow!("a client panicked"))?? {
                for (all, hop) in all.entry(lane).or_default().iter_mut().zip(hops) {
                    hop.into_iter().for_each(|(version, count)| *all.entry(version).or_default() += count);
                }
            }
        }
        Ok(all)
    })
}

/// Every request reached the version of its lane at every hop, and none is missing.
fn check(reached: &Reached, requests: usize) -> Result<()> {
    let mut sent = 0;
    for ((lane, chain), hops) in reached {
        for (version, hop) in chain.split(',').zip(hops) {
            ensure!(hop.keys().eq([version]), "{lane}, whose chain is {chain}, reached {hops:?}");
        }
        sent += hops.iter().map(|hop| hop.values().sum()).max().unwrap_or(0);
    }
    ensure!(reached.len() > 1, "one lane only");
    ensure!(sent == requests, "{sent} answers to {requests} requests");
    Ok(())
}

fn shown(walkthrough: &str, reached: &Reached) -> String {
    let mut text = String::new();
    for ((lane, chain), hops) in reached {
        let _ = write!(text, "{walkthrough:<22}{lane:<4}expected {chain}, reached");
        for (service, hop) in ["mocka", "mockb", "mockc"].into_iter().zip(hops) {
            let versions: Vec<String> = hop.iter().map(|(version, count)| format!("{version} {count} times")).collect();
            let _ = write!(text, "  {service} {}", versions.join(" and "));
        }
        text.push('\n');
    }
    text
}
