//! Tier 1: the shared cases of trace propagation through the pure crate.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::{
    filter::Filter,
    tier::{Native, run},
};

fn main() -> Result<ExitCode> {
    run::<Native>(&[Filter::TracePropagation])
}
