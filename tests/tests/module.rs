//! Tier 2: the shared cases through the release modules, in an in-process host.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::tier::{InProcess, run};

fn main() -> Result<ExitCode> {
    run::<InProcess>()
}
