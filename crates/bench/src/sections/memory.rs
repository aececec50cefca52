//! What a module occupies in each worker, and whether it stays at that.

use anyhow::Result;

use super::filters::{all, alone};
use crate::{
    bench::{Bench, Filter},
    goals::{self, Goal},
    load,
    report::Section,
    statistics::Estimate,
    variant::{Requests, Running, Variant},
};

const FEW: u32 = 1;
const MANY: u32 = 9;
/// So that every worker has some, and every one of its VMs has worked.
const CONNECTIONS: u32 = 64;
const METHOD: &str = "Per worker: resident memory of an Envoy with nine workers less that of one with a single worker, by eight, \
     less the same without a filter; after a second of requests; in turn, every time other Envoys";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let mut section = Section::new("Memory", &["MiB"], &[METHOD]);
    let mut per_worker = Filter::ALL.map(|filter| (filter, Vec::new()));
    for round in 1..=bench.pace.rounds {
        eprintln!("round {round} of {}", bench.pace.rounds);
        let without = of_a_worker(bench, None)?;
        for (filter, rounds) in &mut per_worker {
            rounds.push(of_a_worker(bench, Some(*filter))? - without);
        }
    }
    let estimates = per_worker.map(|(filter, rounds)| (filter, Estimate::of(&rounds)));
    estimates.iter().for_each(|(filter, estimate)| section.row(filter.name(), &[*estimate]));
    // The goal is for each of them, so the largest decides.
    let largest = estimates.into_iter().filter_map(|(_, estimate)| estimate);
    let largest = largest.max_by(|one, other| one.median.total_cmp(&other.median));

    let all = all(bench);
    let requests = Requests { numbers: 1_000_000, ..all.requests };
    let running = Variant { requests, ..all }.start(bench, 1)?;
    let (before, few) = resident_after(bench, &running, 2 * bench.pace.seconds)?;
    let (after, more) = resident_after(bench, &running, 18 * bench.pace.seconds)?;
    running.prove()?;
    let growth = Some(Estimate::exact(after - before));
    section.row("all three, growth", &[growth]);
    section.method.push(format!(
        "Growth: all three filters in one Envoy, another user and another id with every request; resident memory after {} \
         requests less that after {few}; once",
        few + more
    ));
    Ok((section, vec![goals::MEMORY.goal(largest), goals::FLAT.goal(growth)]))
}

/// What one more worker takes.
fn of_a_worker(bench: &Bench, filter: Option<Filter>) -> Result<f64> {
    let with = |workers| {
        let running = alone(bench, filter).start(bench, workers)?;
        resident_after(bench, &running, 1).map(|(memory, _)| memory)
    };
    Ok((with(MANY)? - with(FEW)?) / f64::from(MANY - FEW))
}

/// Mebibytes, and how many requests were answered.
fn resident_after(bench: &Bench, running: &Running, seconds: u64) -> Result<(f64, u32)> {
    let answered = load::ask(bench, &[running.target(CONNECTIONS)?], seconds)?;
    let requests = answered.iter().map(|answered| answered.requests).sum();
    Ok((running.envoy.resident_memory()? as f64 / (1024.0 * 1024.0), requests))
}
