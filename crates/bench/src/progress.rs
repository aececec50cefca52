//! What is going on, for whoever waits.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// One line on a terminal that changes; elsewhere a line for each step.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{spinner} {elapsed} {msg}").unwrap_or(ProgressStyle::default_spinner());
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(std::time::Duration::from_millis(500));
            bar
        });
        Self { bar }
    }

    /// A step begins.
    pub(crate) fn step(&self, step: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(step.to_owned()),
            None => anstream::eprintln!("{step}"),
        }
    }

    /// A round of a step begins: shown on a terminal only.
    pub(crate) fn round(&self, step: &str, round: usize, rounds: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{step}: round {} of {rounds}", round + 1));
        }
    }

    /// Prints to stdout without spoiling the line.
    pub(crate) fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| anstream::println!("{text}")),
            None => anstream::println!("{text}"),
        }
    }
}
