//! `lanes check`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use lanes::{
    escape::Escaped,
    file,
    finding::{Finding, Severity},
};

use super::{FINE, Format, GREEN, Output, RED, YELLOW, print, print_json, text};

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
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let mut told: String = findings.iter().map(line).collect();
        if findings.is_empty() {
            told += &format!("{GREEN}ok{GREEN:#}: {} accepted\n", plural(self.files.len(), "file"));
        } else {
            told += &format!("{}, {}\n", plural(errors, "error"), plural(warnings, "warning"));
        }
        told
    }
}

fn line(finding: &Finding) -> String {
    let style = if finding.severity == Severity::Error { RED } else { YELLOW };
    let Finding { file, line, column, severity, path, message } = finding;
    let told = if path.is_empty() { message.clone() } else { format!("{path}: {message}") };
    format!("{}:{line}:{column}: {style}{severity}{style:#}: {}\n", Escaped(file), Escaped(told))
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
