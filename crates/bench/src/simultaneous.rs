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
    cores, load,
    variant::{Running, Variant},
};

pub(crate) const METHOD: &str = "CPU time of each Envoy per answered request, all on one core at the same time, requests from \
     another core in a closed loop, one Envoy worker each, every round with Envoys of its own";

/// Each, so that a proxy always has something to do when its turn comes.
const CONNECTIONS: u32 = 8;

/// Microseconds of CPU per request, for each variant and round.
#[derive(Debug)]
pub(crate) struct Costs(Vec<(&'static str, Vec<f64>)>);

pub(crate) fn measure(bench: &Bench, variants: &[Variant]) -> Result<Costs> {
    let mut costs: Vec<_> = variants.iter().map(|variant| (variant.name, Vec::new())).collect();
    for round in 1..=bench.pace.rounds {
        eprintln!("round {round} of {}: {} Envoys", bench.pace.rounds, variants.len());
        let of_round = measure_round(bench, variants)?;
        costs.iter_mut().zip(of_round).for_each(|((_, costs), cost)| costs.push(cost));
    }
    Ok(Costs(costs))
}

fn measure_round(bench: &Bench, variants: &[Variant]) -> Result<Vec<f64>> {
    let running = variants.iter().map(|variant| variant.start(bench, 1)).collect::<Result<Vec<_>>>()?;
    let targets = running.iter().map(|running| running.target(CONNECTIONS)).collect::<Result<Vec<_>>>()?;
    let times = || running.iter().map(|running| cores::time_of(running.envoy.id())).collect::<Result<Vec<_>>>();
    load::ask(bench, &targets, bench.pace.seconds)?;
    let before = times()?;
    let answered = load::ask(bench, &targets, bench.pace.seconds)?;
    let taken = times()?.into_iter().zip(before).map(|(after, before)| after - before);
    running.iter().try_for_each(Running::prove)?;
    let cost = |(taken, requests): (Duration, u32)| taken.as_secs_f64() * 1e6 / f64::from(requests);
    Ok(taken.zip(answered.iter().map(|answered| answered.requests)).map(cost).collect())
}

impl Costs {
    /// What each request of a variant costs.
    pub(crate) fn of(&self, name: &str) -> Result<&[f64]> {
        let found = self.0.iter().find(|(variant, _)| *variant == name);
        found.map(|(_, costs)| costs.as_slice()).with_context(|| format!("{name} was not measured"))
    }

    /// What each request of `name` costs more than one of `baseline`, round by round.
    pub(crate) fn added(&self, name: &str, baseline: &str) -> Result<Vec<f64>> {
        let pairs = self.of(name)?.iter().zip(self.of(baseline)?);
        Ok(pairs.map(|(with, without)| with - without).collect())
    }
}
