//! What a run consists of.

mod chain;
mod filters;
mod growth;
mod hash_tagging;
mod memory;
mod size;
mod start;

use anyhow::Result;
use clap::ValueEnum;

use crate::{bench::Bench, goals::Goal, report::Section};

/// The cost of a request more than without a filter.
const ADDED: &str = "added CPU, µs per request";
const TO_FLOOR: &str = "× floor";

/// The goals whose ratios are simultaneous.
pub(crate) fn ratios(bench: &Bench) -> Result<Vec<Goal>> {
    Ok([hash_tagging::check(bench)?, growth::check(bench)?, filters::check(bench)?].concat())
}

/// A part of the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Name {
    /// One rule in every way that there is to have it: CPU, latency
    HashTagging,
    /// Each filter, and all in one proxy: CPU
    Filters,
    /// More rules, policies, baggage members, ids and workers: CPU
    Growth,
    /// Three services with and without filters, and one hop: latency
    Chain,
    /// The modules' files
    Size,
    /// From configuration to the first request
    Start,
    /// For each worker and module, and after many requests
    Memory,
}

impl Name {
    /// Measures it.
    pub(crate) fn run(self, bench: &Bench) -> Result<(Section, Vec<Goal>)> {
        match self {
            Self::HashTagging => hash_tagging::run(bench),
            Self::Filters => filters::run(bench),
            Self::Growth => growth::run(bench),
            Self::Chain => chain::run(bench),
            Self::Size => size::run(bench),
            Self::Start => start::run(bench),
            Self::Memory => memory::run(bench),
        }
    }
}
