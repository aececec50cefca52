//! Which core does what, and what Linux's accounts say of processes and cores.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Two of the cores that this process may use: the proxies never share one with whoever asks them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// Where every measured process runs.
    pub(crate) proxies: usize,
    /// Where requests come from, and where this process waits.
    pub(crate) generator: usize,
}

impl Cores {
    /// Takes the first core and the last, and moves the calling thread to the latter.
    pub(crate) fn divide() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("sched_getaffinity")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let ends = cores.next().zip(cores.next_back());
        let (proxies, generator) = ends.context("two cores are needed: on one the load would take what it measures")?;
        pin_to(generator)?;
        Ok(Self { proxies, generator })
    }

    /// Runs `start` so that the processes that it starts stay on the core of the proxies: they inherit it.
    pub(crate) fn for_proxies<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        pin_to(self.proxies)?;
        let result = start();
        pin_to(self.generator)?;
        result
    }
}

fn pin_to(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("sched_setaffinity {core}"))
}

/// The CPU time of all threads of a process that live: the first number of each schedstat, in nanoseconds
/// (<https://docs.kernel.org/scheduler/sched-stats.html>).
pub(crate) fn time_of(process: u32) -> Result<Duration> {
    let tasks = format!("/proc/{process}/task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(&tasks).with_context(|| tasks.clone())? {
        // One that has ended since is none that lives.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>().with_context(|| text.clone())?;
    }
    ensure!(nanoseconds > 0, "{tasks}: the kernel keeps no account of CPU time");
    Ok(Duration::from_nanos(nanoseconds))
}

/// What a core has done since the machine started, in the kernel's ticks: in all, and nothing. From the line `cpu0 user nice
/// system idle iowait irq softirq steal …` (<https://docs.kernel.org/filesystems/proc.html>, section 1.7).
pub(crate) fn ticks(core: usize) -> Result<(f64, f64)> {
    let stat = fs::read_to_string("/proc/stat").context("/proc/stat")?;
    let line = stat.lines().find_map(|line| line.strip_prefix(&format!("cpu{core} ")));
    let ticks =
        line.into_iter().flat_map(|line| line.split(' ').take(8)).map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let idle = ticks.iter().skip(3).take(2).sum();
    Ok((ticks.into_iter().sum(), idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time() {
        let (before, core) = (time_of(std::process::id()).unwrap(), ticks(0).unwrap());
        while time_of(std::process::id()).unwrap() == before || ticks(0).unwrap() == core {
            std::hint::black_box((0..1_000_000_u64).sum::<u64>());
        }
    }
}
