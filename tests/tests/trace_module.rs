//! Tier 2: the shared cases of trace propagation through the release module, in an in-process host: requests come in on one
//! worker and go out on another.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::{
    filter::Filter,
    tier::{InProcess, run},
};

fn main() -> Result<ExitCode> {
    run::<InProcess>(&[Filter::TracePropagation])
}
