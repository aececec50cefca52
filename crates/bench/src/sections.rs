//! What a run consists of.

mod chain;
mod filters;
mod hash_tagging;
mod memory;
mod size;

use anyhow::Result;
use clap::ValueEnum;

use crate::{bench::Bench, goals::Goal, report::Section};

/// Without a filter: what everything is compared with.
const NONE: &str = "no filter";
/// The hand-written module: what a module costs at least.
const FLOOR: &str = "floor";
/// The cost of a request more than without a filter.
const ADDED: &str = "added CPU, µs per request";
const TO_FLOOR: &str = "× floor";

/// A part of the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Name {
    /// One rule in every way that there is to have it, and a hundred rules: CPU
    HashTagging,
    /// The other filters, and all in one proxy: CPU
    Filters,
    /// Three services with and without filters: latency
    Chain,
    /// The modules' files
    Size,
    /// For each worker and module, and after many requests
    Memory,
}

impl Name {
    /// Measures it.
    pub(crate) fn run(self, bench: &Bench) -> Result<(Section, Vec<Goal>)> {
        eprintln!("{self:?}");
        match self {
            Self::HashTagging => hash_tagging::run(bench),
            Self::Filters => filters::run(bench),
            Self::Chain => chain::run(bench),
            Self::Size => size::run(bench),
            Self::Memory => memory::run(bench),
        }
    }
}
