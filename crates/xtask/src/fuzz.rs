//! `xtask fuzz`: every target of `fuzz/` for a while, and a table of what came of it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{console, process, project::Project, setup, written};

const DOCUMENT: &str = "docs/hostile-input.md";
const FOLDER: &str = "fuzz";

/// Beside the inputs in `fuzz/seeds`, where a target begins: what the repository has anyway.
const SEEDS: [(&str, &[&str]); 3] = [
    ("cluster_state", &["crates/lanes/tests/preflight"]),
    ("import", &["crates/lanes/tests/imported"]),
    ("lane_group", &["manifests", "crates/lanes/tests/doubtful", "crates/lanes/tests/refused"]),
];

/// The arguments of `xtask fuzz`.
#[derive(Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    seconds: u32,
    /// Built in a hurry, and nothing is written into the documentation
    #[arg(long)]
    short: bool,
    /// Only these targets, and nothing is written into the documentation
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// What came of one target.
struct Row {
    target: String,
    executions: u64,
    has_found: bool,
}

/// Runs them one after another; true if none found anything.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    let program = setup::ensure(project, "cargo-fuzz")?;
    let cargo_fuzz = |command: &str| cargo_fuzz(project, &program, command);
    console::heading("building the targets");
    process::run(cargo_fuzz("build").args(build_options(options.short)))?;
    let listed = process::output(&mut cargo_fuzz("list"))?;
    let is_wanted = |target: &&str| options.targets.is_empty() || options.targets.iter().any(|wanted| wanted == target);
    let mut rows = Vec::new();
    for target in listed.lines().filter(is_wanted) {
        console::heading(&format!("{target}, {} s", options.seconds));
        let mut run = cargo_fuzz("run");
        run.arg(target).args(build_options(options.short)).args(inputs(project, target)?);
        let is_text = SEEDS.iter().any(|(of, _)| *of == target);
        run.args([
            "--",
            "-print_final_stats=1",
            "-timeout=10",
            if is_text { "-max_len=16384" } else { "-max_len=1024" },
        ]);
        run.arg(format!("-max_total_time={}", options.seconds));
        rows.push(row(project, target, &mut run)?);
    }
    let table = table(&rows);
    console::say(&format!("\n{table}"));
    if !options.short && options.targets.is_empty() {
        written::write(project, DOCUMENT, &format!("make fuzz SECONDS={}", options.seconds), &table)?;
    }
    Ok(!rows.is_empty() && rows.iter().all(|row| !row.has_found))
}

fn cargo_fuzz(project: &Project, program: &Path, command: &str) -> Command {
    // Without cargo it takes the command's name for itself.
    let mut cargo_fuzz = project.command(program);
    cargo_fuzz.args(["fuzz", command, "--fuzz-dir", FOLDER]);
    cargo_fuzz
}

/// Without sanitizers, which need a nightly Rust and look for what only `unsafe` can do: there is none here. Overflows and
/// broken assertions end a target all the same.
fn build_options(is_short: bool) -> impl Iterator<Item = &'static str> {
    ["--sanitizer", "none"].into_iter().chain(is_short.then_some("--dev"))
}

/// The folders that it begins with; what it finds interesting goes into the first.
fn inputs(project: &Project, target: &str) -> Result<Vec<PathBuf>> {
    let corpus = project.root().join(FOLDER).join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let seeds = project.root().join(FOLDER).join("seeds").join(target);
    let others = SEEDS.iter().filter(|(of, _)| *of == target).flat_map(|(_, folders)| *folders);
    let others = others.map(|folder| project.root().join(folder));
    Ok([corpus].into_iter().chain(Some(seeds).filter(|seeds| seeds.exists())).chain(others).collect())
}

fn row(project: &Project, target: &str, run: &mut Command) -> Result<Row> {
    let log = project.root().join(FOLDER).join("target").join(format!("{target}.log"));
    let status = process::status(run.stderr(File::create(&log)?))?;
    let said = fs::read_to_string(&log)?;
    let executions = executions(&said).with_context(|| format!("{target} did not run: {}", log.display()))?;
    console::verdict(status.success(), &format!("{executions} executions"));
    if !status.success() {
        let end: Vec<&str> = said.lines().skip_while(|line| !line.contains("panicked at")).collect();
        console::say(&if end.is_empty() { said.clone() } else { end.join("\n") });
    }
    Ok(Row { target: target.to_owned(), executions, has_found: !status.success() })
}

/// As libFuzzer counts them.
fn executions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

fn table(rows: &[Row]) -> String {
    let mut table = "| target | executions | found |\n|---|---:|---|\n".to_owned();
    for Row { target, executions, has_found } in rows {
        let found = if *has_found { "**something**" } else { "nothing" };
        table += &format!("| [{target}](../{FOLDER}/fuzz_targets/{target}.rs) | {executions} | {found} |\n");
    }
    let total: u64 = rows.iter().map(|row| row.executions).sum();
    table + &format!("| all | {total} | |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_and_what_was_found_is_seen() {
        let said = "INFO: Seed: 1\nstat::number_of_executed_units: 17\nstat::average_exec_per_sec: 3\n";
        assert_eq!(executions(said), Some(17));

        let row = |executions, has_found| Row { target: "import".into(), executions, has_found };
        let table = table(&[row(17, false), row(3, true)]);
        assert!(table.ends_with("import.rs) | 3 | **something** |\n| all | 20 | |\n"), "{table}");
    }

    #[test]
    fn every_folder_of_inputs_is_there() {
        let project = Project::locate();
        assert!(SEEDS.iter().flat_map(|(_, folders)| *folders).all(|folder| project.root().join(folder).is_dir()));
    }
}
