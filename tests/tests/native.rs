//! Tier 1: the shared cases through the pure crates.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::tier::{Native, run};

fn main() -> Result<ExitCode> {
    run::<Native>()
}
