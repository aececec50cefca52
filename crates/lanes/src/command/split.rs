//! `lanes split`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lanes::{
    plot,
    spread::{Assignment, Spread},
};
use serde_json::json;

use super::{PlotFormat, PlotOutput, group, ids, output::print_bytes, print, print_json};

/// How wide the plot is.
const BAR: usize = 50;
/// How many parts of the buckets a line of the plot stands for.
const PARTS_PER_LINE: usize = 5;

#[derive(Args)]
pub(crate) struct Options {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// Real identities, one a line; a hundred thousand made-up ones unless given
    #[arg(long, value_name = "FILE")]
    users: Option<String>,
    #[command(flatten)]
    output: PlotOutput,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let assignment = Assignment::of(&group)?
            .with_context(|| format!("{}: the lane group has no spec.assign.users to split", self.file))?;
        let mut spread = assignment.spread();
        match &self.users {
            Some(file) => ids::for_each(file, |user| spread.add(&assignment, user))?,
            None => (0..100_000).for_each(|n| spread.add(&assignment, format!("user-{n}").as_bytes())),
        }
        match self.output.format {
            PlotFormat::Svg => print_bytes(plot::split(&group, &spread).as_bytes()),
            PlotFormat::Json => {
                let (chi_square, degrees) = spread.chi_square();
                let uniformity = json!({"chiSquare": chi_square, "degreesOfFreedom": degrees});
                let told = json!({"spread": spread, "uniformity": uniformity});
                print_json(&told)
            }
            PlotFormat::Text => print(&told(&spread)),
        }
    }
}

fn told(spread: &Spread) -> String {
    let share = |count: u64| 100.0 * count as f64 / spread.users.max(1) as f64;
    let mut told = String::new();
    for (lane, count) in &spread.lanes {
        told += &format!("{lane:12} {count:>10} users  {:6.2} %  {}\n", share(*count), bar(*count, spread.users));
    }
    told += &format!("{:12} {:>10} users, {} of them by name\n\n", "together", spread.users, spread.named);
    let lines: Vec<u64> = spread.parts.chunks(PARTS_PER_LINE).map(|parts| parts.iter().sum()).collect();
    let largest = lines.iter().copied().max().unwrap_or_default();
    for (index, count) in lines.iter().enumerate() {
        let from = 100 * index * PARTS_PER_LINE / spread.parts.len().max(1);
        told += &format!("buckets from {from:>3} %  {count:>9}  {}\n", bar(*count, largest));
    }
    told + &format!("{}\n", spread.evenness())
}

fn bar(count: u64, whole: u64) -> String {
    let width = count as usize * BAR / (whole.max(1) as usize);
    "█".repeat(width.min(BAR))
}
