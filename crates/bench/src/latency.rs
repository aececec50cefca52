//! Latency at a constant rate, one subject at a time, in turn.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};

use crate::{
    bench::{Bench, Turns},
    cpu::CoreTime,
    load::{ClosedLoop, Constant, Request, Target},
    statistics::{Estimate, ratio},
};

const METHOD: &str = "interleaved: requests at a constant rate, one subject after the other in every round; time from when a \
     request should have been sent, so that a stall counts for all requests that it delays";

/// Enough to saturate a chain.
const CONNECTIONS: usize = 64;

/// Somebody to be asked: one address, or the entrance to a whole mesh.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) request: Request,
}

/// Microseconds, for each subject and round.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// Requests per second.
    rate: f64,
    /// Rounds that were repeated because the generator did not keep up with somebody: then it has measured itself.
    refused: usize,
    /// The generator's own, in microseconds at p99, in the worst of the rounds that count.
    lag: f64,
    of: Vec<(String, Vec<Round>)>,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    half: f64,
    p99: f64,
    lag: f64,
}

/// Which latency of a round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quantile {
    Half,
    P99,
}

/// Measures them at half of what the slowest of them sustains: then its core is half busy.
pub(crate) fn measure(bench: &Bench, step: &str, turns: Turns, entrances: &[Entrance]) -> Result<Latencies> {
    bench.progress.step(&format!("{step}: finding what each sustains"))?;
    let sustained =
        entrances.iter().map(|entrance| sustained(bench, entrance, turns.slice)).collect::<Result<Vec<_>>>()?;
    let slowest = sustained.into_iter().reduce(f64::min).context("nothing to measure")?;
    let load = Constant { rate: slowest / 2.0, warm_up: turns.warm_up, duration: turns.slice };

    let rounds = turns.rounds;
    bench.progress.step(&format!("{step}: {rounds} rounds at {:.0} requests per second", load.rate))?;
    let names = entrances.iter().map(|entrance| (entrance.name.clone(), Vec::new()));
    let mut latencies = Latencies { rate: load.rate, refused: 0, lag: 0.0, of: names.collect() };
    for attempt in 0..rounds + rounds / 2 {
        if attempt - latencies.refused == rounds {
            break;
        }
        bench.progress.round(step, attempt - latencies.refused, rounds)?;
        latencies.add(attempt_round(load, entrances, attempt)?);
    }
    Ok(latencies)
}

/// One round; None for those with whom the generator did not keep up.
fn attempt_round(load: Constant, entrances: &[Entrance], attempt: usize) -> Result<Vec<Option<Round>>> {
    let mut round = vec![None; entrances.len()];
    let order: Vec<usize> = (0..entrances.len()).collect();
    // Whoever comes first in one round comes later in the next.
    let (later, first) = order.split_at(attempt % entrances.len().max(1));
    for index in first.iter().chain(later) {
        let (Some(entrance), Some(place)) = (entrances.get(*index), round.get_mut(*index)) else { continue };
        let mut template = entrance.request.template();
        let recorded = load.run(entrance.address, &mut template).with_context(|| entrance.name.clone())?;
        *place = recorded.latency(0.5).zip(recorded.latency(0.99)).map(|(half, p99)| Round {
            half,
            p99,
            lag: recorded.lag(),
        });
    }
    Ok(round)
}

/// Requests per second at which the core of the proxies would have no time left.
///
/// Throughput in a closed loop is more than that: under load, requests are handled in batches. So the core is looked at
/// while it has a quarter of that to do.
fn sustained(bench: &Bench, entrance: &Entrance, duration: Duration) -> Result<f64> {
    let rate = throughput(entrance, duration)? / 4.0;
    let before = CoreTime::of(bench.cores.proxies)?;
    Constant { rate, warm_up: Duration::ZERO, duration }.run(entrance.address, &mut entrance.request.template())?;
    let busy = CoreTime::of(bench.cores.proxies)?.busy_since(before).filter(|busy| *busy > 0.0);
    Ok(rate / busy.with_context(|| format!("{}: the core of the proxies did nothing", entrance.name))?)
}

/// Requests per second in a closed loop.
fn throughput(entrance: &Entrance, duration: Duration) -> Result<f64> {
    let (name, address, template) = (entrance.name.clone(), entrance.address, entrance.request.template());
    let load = ClosedLoop::start(vec![Target { name, address, template, connections: CONNECTIONS }]);
    let answered = answered_in(&load, duration);
    // An error of the load explains one of the wait.
    load.stop()?;
    Ok(answered? as f64 / duration.as_secs_f64())
}

fn answered_in(load: &ClosedLoop, duration: Duration) -> Result<u64> {
    load.run_for(Duration::from_millis(500))?;
    let before: u64 = load.answered().sum();
    load.run_for(duration)?;
    Ok(load.answered().sum::<u64>() - before)
}

impl Latencies {
    /// All of a round or nothing: what is compared must have been measured side by side.
    fn add(&mut self, round: Vec<Option<Round>>) {
        match round.into_iter().collect::<Option<Vec<Round>>>() {
            None => self.refused += 1,
            Some(round) => {
                self.lag = round.iter().map(|round| round.lag).fold(self.lag, f64::max);
                self.of.iter_mut().zip(round).for_each(|((_, rounds), round)| rounds.push(round));
            }
        }
    }

    /// How, for the report.
    pub(crate) fn method(&self) -> String {
        let Self { rate, refused, lag, .. } = self;
        format!(
            "Latency, {METHOD}. The rate is {rate:.0} requests per second, at which the slowest of them keeps its core half busy. \
             {refused} rounds did not count because the generator itself lagged, or \
             answers never came; in the others it was {lag:.0} µs late at p99 \
             at worst"
        )
    }

    pub(crate) fn of(&self, name: &str, quantile: Quantile) -> Option<Estimate> {
        Estimate::of(&self.rounds(name, quantile)?)
    }

    /// Round by round.
    pub(crate) fn ratio(&self, name: &str, reference: &str, quantile: Quantile) -> Option<Estimate> {
        ratio(&self.rounds(name, quantile)?, &self.rounds(reference, quantile)?)
    }

    fn rounds(&self, name: &str, quantile: Quantile) -> Option<Vec<f64>> {
        let (_, rounds) = self.of.iter().find(|(subject, _)| subject == name)?;
        let latency = |round: &Round| match quantile {
            Quantile::Half => round.half,
            Quantile::P99 => round.p99,
        };
        Some(rounds.iter().map(latency).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_counts_for_all_or_for_none() {
        let names = ["none", "module"].map(|name| (name.to_owned(), Vec::new()));
        let mut latencies = Latencies { rate: 1.0, refused: 0, lag: 0.0, of: names.into() };
        for round in 1..=7 {
            let half = f64::from(round);
            let (none, module) =
                (Round { half, p99: 10.0 * half, lag: 1.0 }, Round { half: 2.0 * half, p99: 30.0 * half, lag: half });
            latencies.add(vec![Some(none), Some(module)]);
            latencies.add(vec![Some(none), None]);
        }
        assert_eq!((latencies.refused, latencies.lag), (7, 7.0));
        assert_eq!(latencies.of("none", Quantile::Half).unwrap().median, 4.0);
        assert_eq!(latencies.ratio("module", "none", Quantile::P99).unwrap().interval, [3.0, 3.0]);
    }
}
