//! Tier 1: the shared cases through the pure crates.

use std::process::ExitCode;

use anyhow::Result;
use traffic_lanes_tests::{
    filter::Filter,
    tier::{Native, run},
};

fn main() -> Result<ExitCode> {
    run::<Native>(&[Filter::HashTagging, Filter::BaggagePropagation])
}
