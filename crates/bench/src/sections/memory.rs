//! What a module occupies in each worker, and whether it stays at that.

use anyhow::Result;

use crate::{
    bench::{Bench, Filter},
    goals::{Goal, Id},
    report::Section,
    statistics::Estimate,
    subject::Subject,
    subjects::{ALL, all_ids, for_memory},
};

const MEBIBYTE: f64 = 1024.0 * 1024.0;
const FEW: u32 = 1;
const MANY: u32 = 9;
/// For each worker, so that every one of its VMs has worked.
const REQUESTS: u64 = 500;
const PER_WORKER: &str = "MiB per worker";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let mut section = Section::new(
        "memory",
        "Memory",
        &[
            "Resident memory of an Envoy with nine workers less that of one with a single worker, by eight, less the same \
           without a filter; after 500 requests for each worker; in turn, every time other Envoys",
        ],
    );
    let mut largest: Option<Estimate> = None;
    for (filter, samples) in per_worker(bench)? {
        let estimate = Estimate::of(&samples);
        section.add(filter.name(), PER_WORKER, estimate);
        // The goal is for each of them, so the largest decides.
        let is_larger = largest.is_none_or(|largest| estimate.is_none_or(|estimate| estimate.median > largest.median));
        largest = if is_larger { estimate } else { largest };
    }
    let growth = growth(bench)?;
    let (few, many) = (bench.pace.requests, bench.pace.requests * 10);
    section.method.push(format!(
        "Growth: all three filters in one Envoy, another user and another id with every request; resident memory after {many} \
         requests less that after {few}; once"
    ));
    section.add(ALL, "MiB more after ten times the requests", Some(Estimate::exact(growth)));
    let flat = Goal::new(Id::Flat, Some(Estimate::exact(growth)));
    Ok((section, vec![Goal::new(Id::Memory, largest), flat]))
}

/// Mebibytes for each worker, round by round.
fn per_worker(bench: &Bench) -> Result<Vec<(Filter, Vec<f64>)>> {
    let step = "memory per worker";
    bench.progress.step(step)?;
    let mut samples = Filter::ALL.map(|filter| (filter, Vec::new()));
    for round in 0..bench.pace.starts {
        bench.progress.round(step, round, bench.pace.starts)?;
        let without = of_a_worker(bench, None)?;
        for (filter, samples) in &mut samples {
            samples.push(of_a_worker(bench, Some(*filter))? - without);
        }
    }
    Ok(samples.into())
}

/// What one more worker takes.
fn of_a_worker(bench: &Bench, filter: Option<Filter>) -> Result<f64> {
    let with = |workers| {
        let mut subject = for_memory(bench, filter)?;
        subject.proxy.workers = workers;
        resident(bench, subject, REQUESTS * u64::from(workers))
    };
    Ok((with(MANY)? - with(FEW)?) / f64::from(MANY - FEW))
}

fn resident(bench: &Bench, subject: Subject, requests: u64) -> Result<f64> {
    let running = subject.start(bench)?;
    running.send(running.subject.way, &running.subject.request, requests)?;
    Ok(running.envoy.resident_memory()? as f64 / MEBIBYTE)
}

fn growth(bench: &Bench) -> Result<f64> {
    let few = bench.pace.requests;
    bench.progress.step("memory after many requests")?;
    let running = all_ids(bench)?.start(bench)?;
    let after = |requests| {
        running.send(running.subject.way, &running.subject.request, requests)?;
        Ok::<_, anyhow::Error>(running.envoy.resident_memory()? as f64 / MEBIBYTE)
    };
    let before = after(few)?;
    let growth = after(few * 9)? - before;
    running.prove()?;
    Ok(growth)
}
