//! `lanes preflight`.

mod kubectl;
mod told;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lanes::{
    document::LaneGroup,
    finding::Severity,
    preflight::{Cluster, preflight},
};

use super::{FINE, Format, Output, group, input, kubectl::Kubectl, print, print_json};

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
    output: Output,
    #[command(flatten)]
    kubectl: Kubectl,
}

/// Looks at the cluster before lane groups are applied: whether something in it would break one. What was found is told on
/// standard error.
pub(super) fn breaks(groups: &[LaneGroup], kubectl: &Kubectl) -> Result<bool> {
    let mut cluster = Cluster::default();
    kubectl.read(&mut cluster)?;
    let mut breaks = false;
    for group in groups {
        let findings = preflight(group, &cluster)?;
        if !findings.is_empty() {
            anstream::eprint!("{}", told::told(group, &findings));
        }
        breaks |= findings.iter().any(|finding| finding.severity == Severity::Error);
    }
    Ok(breaks)
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
