//! A constant rate of requests of every lane, for `SOAK_SECONDS`: latency, failures, wrong lanes, and whether memory grows. Prints
//! what came of it, and with `SOAK_TABLE` writes it there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod memory;

use std::{
    env, fmt, fs,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use hash_tagging::fnv1a32;
use hdrhistogram::Histogram;
use libtest_mimic::{Arguments, Trial};
use local_mesh::{Client, Mesh};
use traffic_lanes_tests::walkthrough::{lanes, start_changed};

use memory::Memory;

/// One for each way in which a tag gets through an application, all at once, and the proxies whose memory is watched. Not all five
/// walkthroughs: an Envoy takes two or three inotify instances, of which Linux allows a user 128.
const WALKTHROUGHS: [(&str, [&str; 2]); 3] = [
    ("user-segment", ["gateway", "mockb-s1"]),
    ("permissive-baggage", ["gateway", "mockb-v1"]),
    ("permissive", ["gateway", "mockb-s1"]),
];
/// Requests a second, for each walkthrough. The Python applications of one of them do some 250 at their best, on two cores.
const RATE: u32 = 40;
/// How many requests of a walkthrough may be under way.
const CLIENTS: usize = 16;
const SECONDS: u64 = 8;
/// The highest latency that is told apart, in microseconds.
const MAX_LATENCY: u64 = 60_000_000;

/// What came of the requests of a walkthrough.
struct Soaked {
    walkthrough: &'static str,
    /// In microseconds, from the moment when a request was due: one that had to wait for others waits for the user as well.
    latency: Histogram<u64>,
    failed: Vec<String>,
    wrong: Vec<String>,
    memory: Vec<Memory>,
}

fn main() -> ExitCode {
    let seconds = env::var("SOAK_SECONDS").map_or(SECONDS, |seconds| seconds.parse().unwrap());
    let trial = Trial::test("lanes hold", move || {
        soak(Duration::from_secs(seconds)).map_err(|error| format!("{error:#}").into())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn soak(time: Duration) -> Result<()> {
    let patient = |text: &str| text.replace("- timeout: 2s", "- timeout: 30s");
    let mut meshes = Vec::new();
    for (walkthrough, pods) in WALKTHROUGHS {
        meshes.push((walkthrough, pods, start_changed(walkthrough, patient)?));
    }
    let soaked = thread::scope(|scope| {
        let all: Vec<_> = meshes
            .iter()
            .map(|(walkthrough, pods, mesh)| scope.spawn(move || ask(walkthrough, pods, mesh, time)))
            .collect();
        all.into_iter()
            .map(|one| one.join().map_err(|_| anyhow!("a walkthrough panicked"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let table = table(&soaked);
    println!("{table}");
    if let Some(file) = env::var_os("SOAK_TABLE") {
        fs::write(file, &table)?;
    }
    for Soaked { walkthrough, failed, wrong, latency, .. } in &soaked {
        ensure!(failed.is_empty() && wrong.is_empty(), "{walkthrough}: {failed:?}, {wrong:?}");
        ensure!(!latency.is_empty(), "{walkthrough}: no request was sent");
    }
    Ok(())
}

/// Sends at the rate, whatever becomes of the requests before.
fn ask(walkthrough: &'static str, pods: &[&'static str], mesh: &Mesh, time: Duration) -> Result<Soaked> {
    let gateway = mesh.gateway_url()?;
    let (begin, number, answered) = (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0));
    let due = |number: usize| Duration::from_secs(1) * u32::try_from(number).unwrap_or(u32::MAX) / RATE;
    let send = || {
        let client = Client::new(&gateway);
        let mut part = Soaked::nothing(walkthrough)?;
        loop {
            let number = number.fetch_add(1, Ordering::Relaxed);
            let due = due(number);
            if due >= time {
                return anyhow::Ok(part);
            }
            // Not a wait for something to happen: this is the rate.
            thread::sleep((begin + due).saturating_duration_since(Instant::now()));
            part.send(&client, number)?;
            let late = begin.elapsed().saturating_sub(due);
            part.latency.record(u64::try_from(late.as_micros())?.clamp(1, MAX_LATENCY))?;
            answered.fetch_add(1, Ordering::Relaxed);
        }
    };
    let (send, answered) = (&send, &answered);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(send)).collect();
        let memory =
            memory::watch(mesh, walkthrough, pods, || answered.load(Ordering::Relaxed), || begin.elapsed() >= time)?;
        let mut all = Soaked { memory, ..Soaked::nothing(walkthrough)? };
        for client in clients {
            let part = client.join().map_err(|_| anyhow!("a client panicked"))??;
            all.latency.add(&part.latency)?;
            all.failed.extend(part.failed);
            all.wrong.extend(part.wrong);
        }
        Ok(all)
    })
}

impl Soaked {
    fn nothing(walkthrough: &'static str) -> Result<Self> {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY, 3)?;
        Ok(Self { walkthrough, latency, failed: Vec::new(), wrong: Vec::new(), memory: Vec::new() })
    }

    fn send(&mut self, client: &Client, number: usize) -> Result<()> {
        let (header, expected) = request(self.walkthrough, number).context("a walkthrough has lanes")?;
        match client.send("GET", &[(header.0, &header.1)]).and_then(|answer| answer.chain()) {
            Ok(chain) if chain.to_string() == expected => {}
            Ok(chain) => self.wrong.push(format!("{header:?} went through {chain}")),
            Err(error) => self.failed.push(format!("{header:?}: {error:#}")),
        }
        Ok(())
    }
}

/// The header that says where the `number`th request must go, and the chain.
fn request(walkthrough: &str, number: usize) -> Option<((&'static str, String), &'static str)> {
    if walkthrough == "user-segment" {
        let user = format!("user-{number}");
        let is_canary = fnv1a32(user.as_bytes()) % 100 < 20;
        return Some((("x-user-id", user), if is_canary { "v1,v1,v2" } else { "v1,v1,v1" }));
    }
    let lanes = lanes(walkthrough);
    let lane = lanes.get(number % lanes.len())?;
    Some(((lane.header.0, lane.header.1.to_owned()), lane.chain))
}

fn table(soaked: &[Soaked]) -> String {
    let mut table = "| walkthrough | requests | failed | in a wrong lane | p50 | p90 | p99 | p99.9 | longest |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n".to_owned();
    soaked.iter().for_each(|soaked| table += &soaked.to_string());
    table += "\n| walkthrough | proxy | memory at the end | grows, in bytes per million requests | 95 % interval |\n|---|---|---:|---:|---:|\n";
    soaked.iter().flat_map(|soaked| &soaked.memory).for_each(|memory| table += &memory.to_string());
    table
}

impl fmt::Display for Soaked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { walkthrough, latency, failed, wrong, .. } = self;
        write!(f, "| {walkthrough} | {} | {} | {} |", latency.len(), failed.len(), wrong.len())?;
        for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
            write!(f, " {:.1} ms |", latency.value_at_quantile(quantile) as f64 / 1000.0)?;
        }
        writeln!(f)
    }
}
