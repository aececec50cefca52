//! `xtask matrix`: the suites of the filters, and two walkthroughs, on every Envoy that is pinned; a table for the README.

use std::{io, process::Command};

use anyhow::Result;
use clap::Args;

use super::{Cases, Checked, Session, cases, tiers};
use crate::{
    console,
    project::Project,
    setup::envoy::{self, EnvoyChoice},
    written,
};

/// What each column runs: the filters on one proxy, and a whole mesh.
const COLUMNS: [(&str, &[&str], &[&str]); 2] = [
    (
        "filters",
        &[
            "envoy",
            "agreement",
            "anonymous",
            "claims",
            "clients",
            "hostile",
            "hostile_baggage",
            "lifecycle",
            "matching",
            "precedence",
            "trace_hostile",
            "trace_workers",
            "updates",
            "validate",
        ],
        &["claims", "matching", "precedence", "trace_workers"],
    ),
    ("walkthroughs", &["user_segment", "permissive_baggage"], &["user_segment"]),
];

/// By Envoy's minor version: the Istio that ships it (<https://istio.io/latest/docs/releases/supported-releases/>).
const ISTIO: [(&str, &str); 4] = [("1.36", "1.28"), ("1.37", "1.29"), ("1.38", "1.30"), ("1.39", "1.31")];

const README: &str = "README.md";

/// The arguments of `xtask matrix`.
#[derive(Args)]
pub(crate) struct Options {
    /// A few suites on the oldest and the newest only, and nothing is written into the README
    #[arg(long)]
    short: bool,
    /// Only these versions, and nothing is written into the README
    #[arg(value_name = "VERSION")]
    versions: Vec<String>,
}

/// What came of one version, column by column.
struct Row {
    version: String,
    cells: Vec<(bool, Cases)>,
}

/// Runs them all, version by version, and prints the table; true if everything passed.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let mut session = Session::default();
    let mut pinned = envoy::versions(project)?;
    if let (true, [oldest, .., newest]) = (options.short, pinned.as_slice()) {
        pinned = vec![oldest.clone(), newest.clone()];
    }
    let is_whole = !options.short && options.versions.is_empty();
    let versions = if options.versions.is_empty() { pinned } else { options.versions.clone() };
    if !session.step("build", |_| tiers::build(project)) {
        return Ok(session.conclude());
    }
    let rows = versions.into_iter().map(|version| row(project, options.short, version, &mut session));
    let table = table(&rows.collect::<Vec<_>>());
    // The usual one is the one of `.tools/envoy` again.
    EnvoyChoice::default().ensure(project)?;
    let has_passed = session.conclude();
    console::say(&format!("\n{table}"));
    if is_whole {
        written::write(project, README, "make matrix", &table)?;
    }
    Ok(has_passed)
}

fn row(project: &Project, short: bool, version: String, session: &mut Session) -> Row {
    let run = |(name, all, few): (&str, &[&str], &[&str])| {
        let suites = if short { few } else { all };
        let mut seen = Cases::default();
        let is_ok = session.step(&format!("{version} {name}"), |cases| {
            let ran = cases::run(&mut command(project, suites, &version)?, cases, &mut io::stdout().lock());
            seen = *cases;
            ran.map(|()| Checked::Yes)
        });
        (is_ok, seen)
    };
    Row { cells: COLUMNS.map(run).into(), version }
}

fn command(project: &Project, suites: &[&str], version: &str) -> Result<Command> {
    let envoy = EnvoyChoice::version(version).ensure(project)?;
    let mut cargo = project.cargo(["test", "--no-fail-fast", "--locked"]);
    cargo.args(suites.iter().flat_map(|suite| ["--test", suite]));
    cargo.env("LANES_DIST", project.dist()).env("ENVOY_BIN", envoy);
    Ok(cargo)
}

fn table(rows: &[Row]) -> String {
    let mut table = "| Envoy | shipped by Istio | filters | walkthroughs |\n|---|---|---|---|\n".to_owned();
    for Row { version, cells } in rows {
        let istio = ISTIO.iter().find(|(envoy, _)| version.starts_with(envoy)).map_or("", |(_, istio)| istio);
        let cells: Vec<_> =
            cells.iter().map(|(is_ok, cases)| format!("{}{cases}", if *is_ok { "" } else { "**failed**: " })).collect();
        table += &format!("| {version} | {istio} | {} |\n", cells.join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_seen_in_the_table() {
        let cases = |passed, failed| Cases { passed, failed, ignored: 0 };
        let row = Row { version: "1.36.4".into(), cells: vec![(true, cases(2, 0)), (false, cases(1, 1))] };

        assert!(table(&[row]).ends_with("| 1.36.4 | 1.28 | 2 passed, 0 failed | **failed**: 1 passed, 1 failed |\n"));
    }
}
