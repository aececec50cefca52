//! `lanes import`.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use lanes::{
    escape::Escaped,
    finding::{Finding, Problem, Severity},
    import::{self, Import, Imported},
};
use serde_json::{Value, json};

use super::{
    FINE, Format, Output,
    output::{line, style},
    print, print_json, remark, text,
};

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
            Format::Json => print_json(&json(&import)?)?,
            Format::Text => {
                tell(&import);
                let texts: Vec<&str> = import.groups.iter().map(|group| group.text.as_str()).collect();
                print(&texts.join("---\n"))?
            }
        };
        let has = |severity| import.notes.iter().any(|note| note.severity == severity);
        let is_refused = import.groups.iter().any(|group| !group.findings.is_valid());
        Ok(match (has(Severity::Error), has(Severity::Lost) || is_refused) {
            (true, _) => ExitCode::from(2),
            (false, true) => ExitCode::from(1),
            (false, false) => FINE,
        })
    }

    fn options(&self) -> Result<import::Options> {
        let mut options = import::Options { group: self.group.clone(), ..import::Options::default() };
        for (service, port) in &self.ports {
            let before = match service {
                Some(service) => options.ports.insert(service.clone(), *port),
                None => options.default_port.replace(*port),
            };
            if before.is_some() {
                bail!("--port: two ports for the same");
            }
        }
        Ok(options)
    }
}

/// Everything but the lane groups goes to standard error.
fn tell(import: &Import) {
    import.notes.iter().take(SHOWN).for_each(|note| remark(line(note)));
    if import.notes.len() > SHOWN {
        remark(format_args!("and {} more: `--format json` has them all", import.notes.len() - SHOWN));
    }
    for Imported { group, findings, .. } in &import.groups {
        let all = [(Severity::Error, &findings.errors), (Severity::Warning, &findings.warnings)];
        for (severity, problem) in all.into_iter().flat_map(|(of, all)| all.iter().map(move |one| (of, one))) {
            let (name, style) = (Escaped(&group.metadata.name), style(severity));
            remark(format_args!("LaneGroup {name}: {style}{severity}{style:#}: {}", Escaped(problem)));
        }
    }
}

fn json(import: &Import) -> Result<Value> {
    let problems = |problems: &[Problem]| -> Value {
        problems.iter().map(|problem| json!({"path": problem.path, "message": problem.message})).collect()
    };
    let group = |Imported { group, findings, .. }: &Imported| {
        let (errors, warnings) = (problems(&findings.errors), problems(&findings.warnings));
        Ok(json!({"group": group.to_value()?, "errors": errors, "warnings": warnings}))
    };
    let note = |Finding { file, line, column, severity, path, message }: &Finding| json!({"file": file, "line": line, "column": column, "kind": severity, "path": path, "message": message});
    Ok(json!({
        "groups": import.groups.iter().map(group).collect::<Result<Vec<_>>>()?,
        "notes": import.notes.iter().map(note).collect::<Vec<_>>(),
    }))
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
