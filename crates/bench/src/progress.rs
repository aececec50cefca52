//! What is going on, for whoever waits, and an end of it for whoever does not.

use std::{
    io::{IsTerminal, stderr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

/// One line on a terminal that changes; elsewhere a line for each step.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    /// From here on Ctrl-C and SIGTERM end the run at its next step or round, so that what was started is dropped.
    pub(crate) fn new() -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let interrupt = interrupted.clone();
        ctrlc::set_handler(move || interrupt.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
        let bar = if stderr().is_terminal() { Some(bar()?) } else { None };
        Ok(Self { bar, interrupted })
    }

    /// A step begins. An error if somebody wants an end.
    pub(crate) fn step(&self, step: &str) -> Result<()> {
        match &self.bar {
            Some(bar) => bar.set_message(step.to_owned()),
            None => anstream::eprintln!("{step}"),
        }
        self.go_on()
    }

    /// A round of a step begins: shown on a terminal only. An error if somebody wants an end.
    pub(crate) fn round(&self, step: &str, round: usize, rounds: usize) -> Result<()> {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{step}: round {} of {rounds}", round + 1));
        }
        self.go_on()
    }

    /// Prints to stdout without spoiling the line.
    pub(crate) fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| anstream::println!("{text}")),
            None => anstream::println!("{text}"),
        }
    }

    fn go_on(&self) -> Result<()> {
        ensure!(!self.interrupted.load(Ordering::Relaxed), "interrupted");
        Ok(())
    }
}

fn bar() -> Result<ProgressBar> {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {elapsed} {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(500));
    Ok(bar)
}
