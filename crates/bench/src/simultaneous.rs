//! CPU time per request of several Envoys that are loaded at the same time.
//!
//! All Envoys share one core and all are always busy, so whatever disturbs the machine disturbs all of them alike; a ratio
//! within a round does not see it. Taking turns instead gave 1.02, 1.33 and 1.55 for one and the same pair.
//!
//! Every round has Envoys of its own. Of two processes with one configuration, one can be a tenth dearer for as long as they
//! live, presumably by where their memory lies: rounds of the same processes agree with each other, and are wrong together.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{
    bench::Bench,
    cpu,
    load::ClosedLoop,
    statistics::{Estimate, added, ratio},
    subject::{Running, Subject},
};

pub(crate) const METHOD: &str = "simultaneous: CPU time of each Envoy per answered request, all on one core at the same time, \
     requests from another core, one Envoy worker each, every round with Envoys of its own";

/// Each, so that a proxy always has something to do when its turn comes.
const CONNECTIONS: usize = 8;

/// Microseconds of CPU per request, for each subject and round.
#[derive(Debug)]
pub(crate) struct Costs {
    of: Vec<(String, Vec<f64>)>,
}

/// What a subject had used and answered at a moment.
struct Reading {
    cpu: Duration,
    answered: u64,
}

/// Measures the subjects, all on the core of the proxies.
pub(crate) fn measure(bench: &Bench, step: &str, subjects: &[Subject]) -> Result<Costs> {
    measure_by(bench, step, subjects, |subject| subject.start(bench))
}

/// The same, where `start` decides about the cores.
pub(crate) fn measure_by(
    bench: &Bench,
    step: &str,
    subjects: &[Subject],
    start: impl Fn(Subject) -> Result<Running>,
) -> Result<Costs> {
    let rounds = bench.pace.rounds;
    bench.progress.step(&format!("{step}: {rounds} rounds of {} Envoys", subjects.len()))?;
    let mut of: Vec<(String, Vec<f64>)> = subjects.iter().map(|subject| (subject.name.clone(), Vec::new())).collect();
    for round in 0..rounds {
        bench.progress.round(step, round, rounds)?;
        let running = subjects.iter().cloned().map(&start).collect::<Result<Vec<_>>>()?;
        let round = measure_round(bench, &running)?;
        of.iter_mut().zip(round).for_each(|((_, costs), cost)| costs.push(cost));
    }
    Ok(Costs { of })
}

/// Loads what runs, and proves afterwards that it still does what it is measured for.
fn measure_round(bench: &Bench, running: &[Running]) -> Result<Vec<f64>> {
    let targets = running.iter().map(|running| running.target(CONNECTIONS)).collect::<Result<Vec<_>>>()?;
    let load = ClosedLoop::start(targets);
    let costs = costs_under(&load, bench, running);
    // An error of the load explains one of the round.
    load.stop()?;
    running.iter().try_for_each(Running::prove)?;
    costs
}

fn costs_under(load: &ClosedLoop, bench: &Bench, running: &[Running]) -> Result<Vec<f64>> {
    load.run_for(bench.pace.warm_up)?;
    let before = read(running, load)?;
    load.run_for(bench.pace.slice)?;
    let after = read(running, load)?;
    let of = running.iter().zip(before.iter().zip(&after));
    of.map(|(running, (before, after))| {
        cost(before, after).with_context(|| {
            format!(
                "{}: nothing was answered in a whole round, so something else has the machine",
                running.subject.name
            )
        })
    })
    .collect()
}

fn read(running: &[Running], load: &ClosedLoop) -> Result<Vec<Reading>> {
    let read = |(running, answered): (&Running, u64)| Ok(Reading { cpu: cpu::time_of(running.envoy.id())?, answered });
    running.iter().zip(load.answered()).map(read).collect()
}

/// Microseconds per request between two readings.
fn cost(before: &Reading, after: &Reading) -> Option<f64> {
    let requests = after.answered.checked_sub(before.answered).filter(|requests| *requests > 0)?;
    Some(after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / requests as f64)
}

impl Costs {
    /// What each request of a subject costs.
    pub(crate) fn of(&self, name: &str) -> Result<&[f64]> {
        let found = self.of.iter().find(|(subject, _)| subject == name);
        found.map(|(_, costs)| costs.as_slice()).with_context(|| format!("{name} was not measured"))
    }

    /// What each request of `name` costs more than one of `baseline`, round by round.
    pub(crate) fn added(&self, name: &str, baseline: &str) -> Result<Vec<f64>> {
        Ok(added(self.of(name)?, self.of(baseline)?))
    }

    /// Pairs of a subject and its baseline: what the first of them adds, as a multiple of what the second adds.
    pub(crate) fn ratio(&self, cost: (&str, &str), reference: (&str, &str)) -> Result<Option<Estimate>> {
        Ok(ratio(&self.added(cost.0, cost.1)?, &self.added(reference.0, reference.1)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(micros: u64, answered: u64) -> Reading {
        Reading { cpu: Duration::from_micros(micros), answered }
    }

    #[test]
    fn a_cost_is_time_by_requests() {
        assert_eq!(cost(&reading(1000, 10), &reading(3000, 110)), Some(20.0));
        assert_eq!(cost(&reading(1000, 10), &reading(3000, 10)), None, "nothing was answered");
    }

    #[test]
    fn what_is_added_is_compared_round_by_round() {
        let of = [("none", 10.0), ("floor", 14.0), ("module", 16.0)];
        let slower = |cost: f64| (1..=7).map(|round| cost * f64::from(round)).collect();
        let costs = Costs { of: of.map(|(name, cost)| (name.to_owned(), slower(cost))).into() };
        let ratio = costs.ratio(("module", "none"), ("floor", "none")).unwrap().unwrap();
        assert_eq!((ratio.median, ratio.interval), (1.5, [1.5, 1.5]));
        assert!(costs.of("Lua").is_err());
    }
}
