//! What a lane costs: figures from real Envoys, and the goals that they are held to.
//!
//! `make bench` runs it. Nothing is measured before it has been seen to do what it is measured for, and where the noise is
//! larger than a difference, no difference is claimed.

mod bench;
mod check;
mod cores;
mod cpu;
mod goals;
mod latency;
mod load;
mod machine;
mod progress;
mod proxy;
mod report;
mod sections;
mod simultaneous;
mod statistics;
mod subject;
mod subjects;
mod verdict;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use local_mesh::Envoy;

use crate::{
    bench::{Bench, Modules, Pace},
    cores::Cores,
    machine::Machine,
    progress::Progress,
    report::{Report, goals_table},
    sections::Name,
};

#[derive(Parser)]
#[command(about = "Measures what a lane costs; `make bench` says where everything is")]
struct Cli {
    /// A few short rounds: whether it works, not what it costs
    #[arg(long)]
    quick: bool,
    /// Only these sections
    #[arg(long, value_name = "SECTION", num_args = 1.., conflicts_with = "check")]
    only: Vec<Name>,
    /// Compare the ratios that have goals with those in bench/figures.json
    #[arg(long)]
    check: bool,
    /// The release modules
    #[arg(long, env = "LANES_DIST", hide_env_values = true)]
    dist: PathBuf,
    /// The rule as the SDK has it written
    #[arg(long, env = "SDK_FILTER", hide_env_values = true)]
    sdk_filter: PathBuf,
    /// The sample application
    #[arg(long, env = "MOCK_SERVICE_BIN", hide_env_values = true)]
    mock_service: PathBuf,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            anstream::eprintln!("{0}error:{0:#} {error:#}", anstyle::AnsiColor::Red.on_default().bold());
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<bool> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/")).to_owned();
    let cores = Cores::divide()?;
    cpu::ensure_accounted()?;
    let bench = Bench {
        envoy: Envoy::binary(&repository)?,
        modules: Modules::find(cli.dist, cli.sdk_filter)?,
        mock_service: cli.mock_service,
        pace: match (cli.quick, cli.check) {
            (true, _) => Pace::QUICK,
            (false, true) => Pace::CHECK,
            (false, false) => Pace::FULL,
        },
        progress: Progress::new()?,
        cores,
        repository,
    };
    if cli.check {
        return check::run(&bench);
    }
    let folder = if cli.quick || !cli.only.is_empty() { "target/bench" } else { "bench" };
    let sections = if cli.only.is_empty() { Name::value_variants() } else { &cli.only };
    let report = measure(&bench, sections)?;
    report.write(&bench.repository.join(folder))?;
    bench.progress.print(&format!("\n{}", goals_table(&report.goals)));
    bench.progress.print(&format!("{}/report.md has all of it, {0}/figures.json the same for programs.", folder));
    Ok(true)
}

fn measure(bench: &Bench, names: &[Name]) -> Result<Report> {
    let machine = Machine::of(&bench.repository, &bench.envoy, &bench.cores)?;
    bench.progress.print(&machine.lines());
    let mut report = Report { machine, goals: Vec::new(), sections: Vec::new() };
    for name in names {
        let (section, goals) = name.run(bench)?;
        bench.progress.print(&format!("## {}\n\n{}", section.title, section.table()));
        report.sections.push(section);
        report.goals.extend(goals);
    }
    report.goals.sort_by_key(|goal| goal.id);
    Ok(report)
}
