//! Tier 3: the shared cases through the release modules in a real Envoy. Those that need a clock that can be moved are for the
//! other tiers.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::tier::{RealEnvoy, run};

fn main() -> Result<ExitCode> {
    run::<RealEnvoy>()
}
