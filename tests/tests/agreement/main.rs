//! `lanes explain`, the crate, the release module and the same module in a real Envoy say the same about random requests
//! under random configurations. What lane groups cannot express is asked of the last three.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod draw;
mod lane_group;
mod plugin_config;
mod request;
mod subject;

use std::{collections::BTreeMap, fmt, process::ExitCode};

use anyhow::{Result, ensure};
use fastrand::Rng;
use hash_tagging::Tagging;
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;
use traffic_lanes_tests::{filter::Filter, module_host::Module, wasm_listeners::WasmListeners};

use crate::{
    draw::TAGS,
    subject::{Hosts, Subject},
};

/// Where the walk through everything that may be drawn begins: the same in every run, so that a failure can be repeated.
const SEED: u64 = 20_261_121;
const REQUESTS: usize = 200;
/// Decided for an identity: with `REQUESTS` each, 60 configurations reach that.
const IDENTITIES: u64 = 10_000;

fn main() -> ExitCode {
    let trials = vec![
        Trial::test("lane groups", || Ok(agree("lane groups", 60, lane_group::draw)?)),
        Trial::test("plug-in configurations", || Ok(agree("plug-in configurations", 60, plugin_config::draw)?)),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn agree(kind: &str, number: usize, draw: fn(&mut Rng) -> Value) -> Result<()> {
    let mut rng = Rng::with_seed(SEED);
    let subjects = (0..number).map(|number| Subject::read(&draw(&mut rng), number)).collect::<Result<Vec<_>>>()?;
    let path = Filter::HashTagging.module()?;
    let envoy = WasmListeners::start(&path, subjects.iter().map(Subject::setup))?;
    let module = Module::load(&path)?;
    let mut tally = Tally::default();
    for subject in &subjects {
        let mut hosts = Hosts { worker: subject.worker(&module)?, envoy: &envoy };
        for _ in 0..REQUESTS {
            tally.count(&subject.ask(&mut hosts, request::draw(&mut rng))?);
        }
    }
    println!("{} requests under {number} {kind} of seed {SEED}: all agree; decided {tally}", number * REQUESTS);
    tally.ensure_varied()
}

/// What the rules decided.
#[derive(Default)]
struct Tally {
    tags: BTreeMap<String, u64>,
    reasons: BTreeMap<String, u64>,
}

impl Tally {
    fn count(&mut self, verdict: &Tagging<'_>) {
        for decision in &verdict.decisions {
            let tag = decision.tag.map_or("no tag".to_owned(), |tag| tag.as_bytes().escape_ascii().to_string());
            *self.tags.entry(tag).or_default() += 1;
            *self.reasons.entry(decision.reason.to_string()).or_default() += 1;
        }
    }

    /// Agreement says little where everybody always says the same.
    fn ensure_varied(&self) -> Result<()> {
        let by = |reason: &str| self.reasons.get(reason).copied().unwrap_or_default();
        let identities = by("user") + by("hash");
        ensure!(identities >= IDENTITIES, "only {identities} identities were found");
        let all: u64 = self.tags.values().sum();
        let seldom = |count: u64| count < all / 50;
        ensure!(!seldom(by("user")) && !seldom(by("missing")), "some reason is too seldom: {self}");
        for tag in TAGS.into_iter().chain(["no tag"]) {
            ensure!(!seldom(self.tags.get(tag).copied().unwrap_or_default()), "{tag} is too seldom: {self}");
        }
        Ok(())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = |counts: &BTreeMap<String, u64>| {
            counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        write!(f, "{}; by {}", counts(&self.tags), counts(&self.reasons))
    }
}
