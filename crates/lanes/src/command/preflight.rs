//! `lanes preflight`.

mod kubectl;
mod told;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lanes::{
    finding::Severity,
    preflight::{Cluster, preflight},
};

use super::{FINE, Format, Output, group, input, print, print_json};
use kubectl::Kubectl;

#[derive(Args)]
pub(crate) struct Options {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// What the cluster has, as kubectl prints it in YAML or JSON; `-` is standard input. May be repeated. Unless given, kubectl is
    /// run
    #[arg(long = "cluster-state", value_name = "FILE")]
    states: Vec<String>,
    /// Print the kubectl command whose output --cluster-state reads, and do nothing else
    #[arg(long)]
    print_command: bool,
    #[command(flatten)]
    kubectl: Kubectl,
    #[command(flatten)]
    output: Output,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        if self.print_command {
            return print(&format!("{}\n", self.kubectl.command()));
        }
        let group = group(&self.file)?;
        let mut cluster = Cluster::default();
        for state in &self.states {
            cluster.read(&input::state(state)?).with_context(|| format!("failed to read the cluster from {state}"))?;
        }
        if self.states.is_empty() {
            self.kubectl.read(&mut cluster)?;
        }
        let findings = preflight(&group, &cluster)?;
        match self.output.format {
            Format::Json => print_json(&findings)?,
            Format::Text => print(&told::told(&group, &findings))?,
        };
        let breaks = findings.iter().any(|finding| finding.severity == Severity::Error);
        Ok(if breaks { ExitCode::from(1) } else { FINE })
    }
}
