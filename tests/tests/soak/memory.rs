//! Whether a proxy's memory grows with the requests that it serves.

use std::{cell::Cell, fmt, time::Duration};

use anyhow::Result;
use local_mesh::{Mesh, wait_until};

const MEBIBYTE: f64 = 1024.0 * 1024.0;
const MILLION: f64 = 1e6;
/// Longer than any soak.
const LIMIT: Duration = Duration::from_secs(100_000);
/// A new proxy fills its pools with the first requests.
const WARM: f64 = 0.5;
/// Of a normal distribution, for 95 %.
const DEVIATIONS: f64 = 1.96;

/// The memory of a proxy, over the requests that the gateway has answered.
pub(crate) struct Memory {
    walkthrough: &'static str,
    pod: &'static str,
    /// Requests and bytes.
    samples: Vec<(f64, f64)>,
}

/// Samples the proxies until it is over.
pub(crate) fn watch(
    mesh: &Mesh,
    walkthrough: &'static str,
    pods: &[&'static str],
    requests: impl Fn() -> usize,
    is_over: impl Fn() -> bool,
) -> Result<Vec<Memory>> {
    let mut watched: Vec<Memory> = pods.iter().map(|pod| Memory { walkthrough, pod, samples: Vec::new() }).collect();
    let last = Cell::new(usize::MAX);
    while !is_over() {
        wait_until("requests are answered", LIMIT, || {
            let now = requests();
            Ok((now != last.replace(now) || is_over()).then_some(()))
        })?;
        for memory in &mut watched {
            let bytes = mesh.pod(memory.pod)?.envoy()?.resident_memory()?;
            memory.samples.push((requests() as f64, bytes as f64));
        }
    }
    Ok(watched)
}

impl Memory {
    /// By least squares, and half the width of the interval. What is sampled so often is not independent: the interval is
    /// rather too narrow.
    fn slope(&self) -> (f64, f64) {
        let end = self.samples.last().map_or(0.0, |(requests, _)| *requests);
        let warm: Vec<_> = self.samples.iter().filter(|(requests, _)| *requests >= WARM * end).collect();
        let count = warm.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| warm.iter().map(|sample| of(sample)).sum::<f64>() / count;
        let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let squares: f64 = warm.iter().map(|sample| (sample.0 - x).powi(2)).sum();
        let slope = warm.iter().map(|sample| (sample.0 - x) * (sample.1 - y)).sum::<f64>() / squares;
        let rest: f64 = warm.iter().map(|sample| (sample.1 - y - slope * (sample.0 - x)).powi(2)).sum();
        (slope * MILLION, DEVIATIONS * (rest / (count - 2.0) / squares).sqrt() * MILLION)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (slope, half) = self.slope();
        let end = self.samples.last().map_or(0.0, |(_, bytes)| bytes / MEBIBYTE);
        let (from, to) = (slope - half, slope + half);
        writeln!(f, "| {} | {} | {end:.1} MiB | {slope:.0} | {from:.0} to {to:.0} |", self.walkthrough, self.pod)
    }
}
