//! `lanes import`.

use std::{collections::BTreeMap, process::ExitCode};

use anstyle::Style;
use anyhow::{Context, Result, bail};
use clap::Args;
use lanes::{
    escape::Escaped,
    import::{self, Import, Imported, Note, NoteKind},
};
use plugin_config::Problem;
use serde_json::{Value, json};

use super::{FINE, Format, Output, RED, YELLOW, print, print_json, remark, text};

/// How many notes are shown.
const SHOWN: usize = 1000;

#[derive(Args)]
pub(crate) struct Options {
    /// Files with ASMSwimLaneGroups and ASMSwimLanes, and with the Services, Gateways and hash-tagging WasmPlugins that
    /// belong to them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The one lane group to import, of several
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// A service's port, or with a number alone the port of every service of which none is known; may be repeated
    #[arg(long = "port", value_name = "[SERVICE=]PORT", value_parser = port)]
    ports: Vec<(Option<String>, u16)>,
    #[command(flatten)]
    output: Output,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let read = |name: &String| Ok((name.clone(), text(name)?));
        let files = self.files.iter().map(read).collect::<Result<Vec<_>>>()?;
        let import = import::import(&files, &self.options()?)?;
        match self.output.format {
            Format::Json => print_json(&json(&import))?,
            Format::Text => {
                tell(&import);
                let texts: Vec<&str> = import.groups.iter().map(|group| group.text.as_str()).collect();
                print(&texts.join("---\n"))?
            }
        };
        let has = |kind| import.notes.iter().any(|note| note.kind == kind);
        let is_refused = import.groups.iter().any(|group| !group.findings.is_valid());
        Ok(match (has(NoteKind::Error), has(NoteKind::Lost) || is_refused) {
            (true, _) => ExitCode::from(2),
            (false, true) => ExitCode::from(1),
            (false, false) => FINE,
        })
    }

    fn options(&self) -> Result<import::Options> {
        let named: Vec<(String, u16)> =
            self.ports.iter().filter_map(|(service, port)| service.clone().zip(Some(*port))).collect();
        let ports: BTreeMap<String, u16> = named.iter().cloned().collect();
        let for_all: Vec<u16> =
            self.ports.iter().filter(|(service, _)| service.is_none()).map(|(_, port)| *port).collect();
        if ports.len() < named.len() || for_all.len() > 1 {
            bail!("--port: two ports for the same");
        }
        Ok(import::Options { group: self.group.clone(), ports, default_port: for_all.first().copied() })
    }
}

/// Everything but the lane groups goes to standard error.
fn tell(import: &Import) {
    for Note { file, line, column, kind, path, message } in import.notes.iter().take(SHOWN) {
        let style = if *kind == NoteKind::Assumed { YELLOW } else { RED };
        let told = if path.is_empty() { message.clone() } else { format!("{path}: {message}") };
        let file = Escaped(file);
        remark(format_args!("{file}:{line}:{column}: {style}{kind}{style:#}: {}", Escaped(told)));
    }
    if import.notes.len() > SHOWN {
        remark(format_args!("and {} more: `--format json` has them all", import.notes.len() - SHOWN));
    }
    for Imported { group, findings, .. } in &import.groups {
        let told = |style: Style, severity: &str, problems: &[Problem]| {
            for problem in problems {
                let (name, problem) = (Escaped(&group.metadata.name), Escaped(problem));
                remark(format_args!("LaneGroup {name}: {style}{severity}{style:#}: {problem}"));
            }
        };
        told(RED, "error", &findings.errors);
        told(YELLOW, "warning", &findings.warnings);
    }
}

fn json(import: &Import) -> Value {
    let problems = |problems: &[Problem]| -> Value {
        problems.iter().map(|problem| json!({"path": problem.path, "message": problem.message})).collect()
    };
    let group = |Imported { group, findings, .. }: &Imported| {
        let (errors, warnings) = (problems(&findings.errors), problems(&findings.warnings));
        json!({"group": group, "errors": errors, "warnings": warnings})
    };
    json!({"groups": import.groups.iter().map(group).collect::<Vec<_>>(), "notes": import.notes})
}

fn port(text: &str) -> Result<(Option<String>, u16)> {
    let (service, port) =
        text.rsplit_once('=').map_or((None, text), |(service, port)| (Some(service.to_owned()), port));
    let port: u16 = port.parse().with_context(|| format!("`{port}` is no port"))?;
    if port == 0 {
        bail!("0 is no port");
    }
    Ok((service, port))
}
