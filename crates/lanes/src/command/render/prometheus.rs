//! `lanes render prometheus`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lanes::render::prometheus;

use crate::command::{group, print};

#[derive(Args)]
pub(crate) struct Prometheus {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// A PrometheusRule for the Prometheus operator, instead of a rule file
    #[arg(long)]
    resource: bool,
}

impl Prometheus {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let rules = if self.resource { prometheus::resource(&group) } else { prometheus::render(&group) };
        let rules = rules.with_context(|| format!("failed to render {}", self.file))?;
        print(&format!("# Written by `lanes render`; change the lane group instead.\n{rules}"))
    }
}
