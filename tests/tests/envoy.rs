//! Tier 3: the shared cases through the release modules in a real Envoy.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::{
    filter::Filter,
    tier::{RealEnvoy, run},
};

fn main() -> Result<ExitCode> {
    run::<RealEnvoy>(&[Filter::HashTagging, Filter::BaggagePropagation])
}
