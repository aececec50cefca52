//! Tier 3: the shared cases of trace propagation through the release module in a real Envoy. Those that need a clock that
//! can be moved are for the other tiers.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::{
    filter::Filter,
    tier::{RealEnvoy, run},
};

fn main() -> Result<ExitCode> {
    run::<RealEnvoy>(&[Filter::TracePropagation])
}
