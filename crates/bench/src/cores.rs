//! Which core does what: the proxies never share one with whoever asks them.

use std::fs;

use anyhow::{Result, bail};

/// The cores of this machine that this process may use, divided.
#[derive(Debug)]
pub(crate) struct Cores {
    /// Where every measured process runs.
    pub(crate) proxies: usize,
    /// Where requests come from, and where this process waits.
    pub(crate) generator: usize,
    /// All of them.
    pub(crate) all: Vec<usize>,
}

impl Cores {
    /// Gives the first core to the proxies, the last to the generator, and moves the calling thread there.
    ///
    /// # Errors
    ///
    /// There is one core only, or this is not Linux.
    pub(crate) fn divide() -> Result<Self> {
        let all = affinity::get()?;
        let (Some(&proxies), Some(&generator)) = (all.first(), all.last()) else { bail!("no core is known") };
        if proxies == generator {
            bail!(
                "this process may use one core only: the generator would take what it measures; at least two are needed"
            );
        }
        affinity::set(&[generator])?;
        Ok(Self { proxies, generator, all })
    }

    /// Which core does what, for the report.
    pub(crate) fn placement(&self) -> String {
        let Self { proxies, generator, .. } = self;
        let siblings = |core: usize| {
            fs::read_to_string(format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")).ok()
        };
        let shared = siblings(*proxies).is_some_and(|of_proxies| siblings(*generator) == Some(of_proxies));
        let warning = if shared { ", which are two threads of one core and disturb each other" } else { "" };
        format!("Envoys on core {proxies}, requests from core {generator}{warning}")
    }

    /// Runs `start` so that the processes and threads that it starts stay on the core of the proxies: they inherit it.
    pub(crate) fn for_proxies<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        self.on(&[self.proxies], start)
    }

    /// Runs `action` on any core, as does all that it starts.
    pub(crate) fn everywhere<T>(&self, action: impl FnOnce() -> Result<T>) -> Result<T> {
        self.on(&self.all, action)
    }

    fn on<T>(&self, cores: &[usize], action: impl FnOnce() -> Result<T>) -> Result<T> {
        affinity::set(cores)?;
        let result = action();
        affinity::set(&[self.generator])?;
        result
    }
}

#[cfg(target_os = "linux")]
mod affinity {
    use anyhow::{Context, Result};
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// The cores that the calling thread may use.
    pub(super) fn get() -> Result<Vec<usize>> {
        let set = sched_getaffinity(None).context("sched_getaffinity")?;
        Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
    }

    /// Restricts the calling thread to `cores`.
    pub(super) fn set(cores: &[usize]) -> Result<()> {
        let mut set = CpuSet::new();
        cores.iter().for_each(|core| set.set(*core));
        sched_setaffinity(None, &set).with_context(|| format!("sched_setaffinity {cores:?}"))
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    use anyhow::{Result, bail};

    pub(super) fn get() -> Result<Vec<usize>> {
        bail!("only Linux says how long each thread ran: measure there")
    }

    pub(super) fn set(_: &[usize]) -> Result<()> {
        get().map(drop)
    }
}
