//! The walkthroughs as containers, and what can befall containers: one is stopped, frozen, cut off, or the gateway restarts.
//!
//! Needs a Docker engine and the images of `make images`. The tests run one after the other: the machine is small.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use local_mesh::{Client, WALKTHROUGHS, wait_until};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    containers::Containers,
    load::{Seen, Stream, while_requests_flow},
    walkthrough::{Lane, ask, lanes},
};

/// Seven Pythons that start side by side on a small machine.
const START: Duration = Duration::from_secs(120);
const LIMIT: Duration = Duration::from_secs(60);
const TAG: &str = "x-asm-prefer-tag";
/// Enough to meet whatever goes wrong.
const ANSWERS: usize = 200;

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let trial = |name: &str, test: Box<dyn FnOnce() -> Result<()> + Send>| {
        Trial::test(name, move || test().map_err(|error| Failed::from(format!("{error:#}"))))
    };
    let walkthroughs = WALKTHROUGHS.map(|name| {
        trial(&format!("{name}: every lane keeps to its chain"), Box::new(move || keeps_to_its_lanes(name)))
    });
    let faults = Fault::ALL.map(|fault| trial(&format!("permissive: {fault:?}"), Box::new(move || falls_back(fault))));
    let others = [
        trial("strict: a lane without a service is the only one that fails", Box::new(strict_fails_alone)),
        trial("user-segment: the page moves users and kills a pod", Box::new(the_page_moves_users_and_kills_a_pod)),
        trial("permissive: the gateway restarts", Box::new(the_gateway_restarts)),
    ];
    libtest_mimic::run(&arguments, walkthroughs.into_iter().chain(faults).chain(others).collect()).exit_code()
}

fn keeps_to_its_lanes(walkthrough: &str) -> Result<()> {
    let containers = start(walkthrough)?;
    let client = Client::new(containers.gateway_url());
    for lane in lanes(walkthrough) {
        for method in ["GET", "POST"] {
            let outcome = client.send(method, &[lane.header])?.outcome();
            ensure!(outcome == lane.chain, "{method} in {}: {outcome} is not {}", lane.name, lane.chain);
        }
    }
    containers.down()?;
    let left = containers.left()?;
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

/// What befalls the lane's only pod of mockc.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Stopped,
    Frozen,
    CutOff,
}

impl Fault {
    const ALL: [Self; 3] = [Self::Stopped, Self::Frozen, Self::CutOff];

    fn begin(self, containers: &Containers, pod: &str) -> Result<()> {
        match self {
            Self::Stopped => containers.stop_application(pod),
            Self::Frozen => containers.pause(pod),
            Self::CutOff => containers.disconnect(pod),
        }
    }

    fn end(self, containers: &Containers, pod: &str) -> Result<()> {
        match self {
            Self::Stopped => containers.start_application(pod),
            Self::Frozen => containers.unpause(pod),
            Self::CutOff => containers.connect(pod),
        }
    }

    /// What a client of the lane may see, one request after the other. A pod that hangs keeps what it has got: nobody can tell
    /// it from a slow one before the route's timeout. Everything that comes after falls back.
    fn costs(self, mut seen: Seen) -> Result<()> {
        let timeouts = seen.remove("504: upstream request timeout").unwrap_or_default();
        let hangs = !matches!(self, Self::Stopped);
        ensure!(timeouts <= usize::from(hangs), "{timeouts} requests waited in vain");
        ensure!(seen.keys().all(|outcome| outcome == "v2,v1,v2" || outcome == "v2,v1,v1"), "{seen:?}");
        ensure!(hangs || seen.len() == 2, "it never fell back: {seen:?}");
        Ok(())
    }
}

fn falls_back(fault: Fault) -> Result<()> {
    let containers = start("permissive")?;
    let observer = Client::new(containers.gateway_url());
    let streams = [get("s1"), get("s2"), get("s3"), post("s1"), post("s3")];
    let seen = while_requests_flow(&containers.gateway_url(), &streams, |load| {
        load.answers(ANSWERS)?;
        fault.begin(&containers, "mockc-s2")?;
        reaches(&observer, "s2", "v2,v1,v1", LIMIT)?;
        load.answers(ANSWERS)?;
        fault.end(&containers, "mockc-s2")?;
        reaches(&observer, "s2", "v2,v1,v2", LIMIT)?;
        load.answers(ANSWERS)
    })?;
    println!("{fault:?}: {seen:?}");
    for (stream, seen) in streams.iter().zip(seen) {
        match stream.header.1 {
            "s1" => only(&seen, &["v1,v1,v1"]),
            "s3" => only(&seen, &["v1,v3,v1"]),
            _ => fault.costs(seen),
        }
        .with_context(|| format!("{fault:?}, {stream:?}"))?;
    }
    Ok(())
}

fn strict_fails_alone() -> Result<()> {
    let containers = start("strict")?;
    let observer = Client::new(containers.gateway_url());
    let streams = [get("s1"), post("s1"), get("s3"), post("s3")];
    let seen = while_requests_flow(&containers.gateway_url(), &streams, |load| {
        containers.stop_application("mockb-s2")?;
        reaches(&observer, "s2", "503", LIMIT)?;
        load.answers(ANSWERS)?;
        containers.start_application("mockb-s2")?;
        reaches(&observer, "s2", "v2,v2,v2", LIMIT)
    })?;
    for (stream, seen) in streams.iter().zip(&seen) {
        let own = if stream.header.1 == "s1" { "v1,v1,v1" } else { "v3,v3,v3" };
        only(seen, &[own]).with_context(|| format!("{stream:?}"))?;
    }
    Ok(())
}

fn the_page_moves_users_and_kills_a_pod() -> Result<()> {
    let containers = start("user-segment")?;
    let page = containers.page_url();
    let wish = |wish: Value| -> Result<Value> {
        let request = ureq::post(format!("{page}/wish")).header("content-type", "application/json");
        Ok(serde_json::from_str(&request.send(wish.to_string())?.body_mut().read_to_string()?)?)
    };
    let answers = |user: &str, lane: &str| {
        let reached = || Ok((wish(json!({"ask": [user]}))?.pointer("/0/lane") == Some(&json!(lane))).then_some(()));
        wait_until(&format!("{lane} answers {user}"), LIMIT, reached)
    };
    let shown = ureq::get(&page).call()?.body_mut().read_to_string()?;
    ensure!(shown.contains("<title>Traffic lanes</title>"), "{shown}");
    answers("bob", "s1")?;
    wish(json!({"share": {"lane": "s2", "percent": 50}}))?;
    answers("bob", "s2")?;
    wish(json!({"pod": {"name": "mockc-s2", "condition": "killed"}}))?;
    answers("bob", "s1")?;
    wish(json!({"pod": {"name": "mockc-s2", "condition": "healthy"}}))?;
    answers("bob", "s2")
}

/// Nobody answers while it is away, but nobody answers wrongly, and afterwards every lane is as before.
fn the_gateway_restarts() -> Result<()> {
    let containers = start("permissive")?;
    let (gateway, stop) = (containers.gateway_url(), AtomicBool::new(false));
    let flow = |lane: Lane| {
        let (client, mut seen) = (Client::new(&gateway), Seen::new());
        while !stop.load(Ordering::Relaxed) {
            let outcome = ask(&client, &[lane.header]).unwrap_or_else(|_| "nobody answers".to_owned());
            *seen.entry(outcome).or_default() += 1;
        }
        (lane, seen)
    };
    let flow = &flow;
    let seen = thread::scope(|scope| {
        let flows: Vec<_> = lanes("permissive").into_iter().map(|lane| scope.spawn(move || flow(lane))).collect();
        let client = Client::new(&gateway);
        let restarted = containers.restart_gateway().and_then(|()| {
            lanes("permissive").into_iter().try_for_each(|lane| reaches(&client, lane.name, lane.chain, LIMIT))
        });
        stop.store(true, Ordering::Relaxed);
        let seen: Vec<_> = flows.into_iter().map(|flow| flow.join().unwrap()).collect();
        restarted.map(|()| seen)
    })?;
    println!("{seen:?}");
    let client = Client::new(&gateway);
    for (lane, mut seen) in seen {
        seen.remove("nobody answers");
        only(&seen, &[lane.chain])?;
        for _ in 0..ANSWERS {
            let outcome = ask(&client, &[lane.header])?;
            ensure!(outcome == lane.chain, "{}: {outcome}", lane.name);
        }
    }
    Ok(())
}

/// Starts the containers and waits until every lane answers.
fn start(walkthrough: &str) -> Result<Containers> {
    let containers = Containers::start(walkthrough)?;
    let client = Client::new(containers.gateway_url());
    for lane in lanes(walkthrough) {
        let ready = || Ok(ask(&client, &[lane.header]).is_ok_and(|outcome| outcome == lane.chain).then_some(()));
        wait_until(&format!("{walkthrough}, {}: {}", lane.name, lane.chain), START, ready)
            .with_context(|| format!("{:?}\n{}", ask(&client, &[lane.header]), containers.log()))?;
    }
    Ok(containers)
}

fn reaches(client: &Client, tag: &str, expected: &str, limit: Duration) -> Result<()> {
    let reached = || Ok(ask(client, &[(TAG, tag)]).is_ok_and(|outcome| outcome.starts_with(expected)).then_some(()));
    wait_until(&format!("{tag} reaches {expected}"), limit, reached)
}

fn only(seen: &Seen, allowed: &[&str]) -> Result<()> {
    ensure!(seen.keys().all(|outcome| allowed.contains(&outcome.as_str())), "not only {allowed:?}: {seen:?}");
    ensure!(seen.len() == allowed.len(), "not all of {allowed:?}: {seen:?}");
    Ok(())
}

fn get(lane: &'static str) -> Stream {
    Stream { method: "GET", header: (TAG, lane) }
}

fn post(lane: &'static str) -> Stream {
    Stream { method: "POST", header: (TAG, lane) }
}
