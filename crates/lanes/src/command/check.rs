//! `lanes check`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lanes::{
    file,
    finding::{Finding, Severity},
};

use super::{
    FINE, Format, GREEN, Output,
    output::{line, plural, sum},
    print, print_json, text,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Files with LaneGroups, WasmPlugins, TrafficExtensions or bare plug-in configurations
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    output: Output,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let mut files = Vec::new();
        for name in &self.files {
            files.push((name.as_str(), file::read(name, &text(name)?)));
        }
        let together = file::read_together(&files);
        let findings: Vec<Finding> = files.into_iter().flat_map(|(_, file)| file.findings).chain(together).collect();
        match self.output.format {
            Format::Json => print_json(&findings)?,
            Format::Text => print(&self.told(&findings))?,
        };
        let is_refused = findings.iter().any(|finding| finding.severity == Severity::Error);
        Ok(if is_refused { ExitCode::from(1) } else { FINE })
    }

    fn told(&self, findings: &[Finding]) -> String {
        let mut told: String = findings.iter().map(|finding| format!("{}\n", line(finding))).collect();
        if findings.is_empty() {
            told += &format!("{GREEN}ok{GREEN:#}: {} accepted\n", plural(self.files.len(), "file"));
        } else {
            told += &format!("{}\n", sum(findings.iter().map(|finding| finding.severity)));
        }
        told
    }
}
