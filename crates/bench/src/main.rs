//! What a lane costs: figures from real Envoys, and the goals that they are held to.
//!
//! `make bench` runs it. Nothing is measured before it has been seen to do what it is measured for, and where the noise is
//! larger than a difference, no difference is claimed.

mod bench;
mod check;
mod cores;
mod goals;
mod load;
mod proxy;
mod report;
mod sections;
mod simultaneous;
mod statistics;
mod variant;

use std::{path::PathBuf, process::ExitCode, sync::atomic::Ordering};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use crate::{
    bench::{Bench, Pace},
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
    #[command(flatten)]
    programs: Programs,
}

/// What is measured, and with what.
#[derive(clap::Args, Debug)]
struct Programs {
    /// The folder of the release modules
    #[arg(long, env = "LANES_DIST", hide_env_values = true)]
    dist: PathBuf,
    /// The module of hash tagging as cargo leaves it
    #[arg(long, env = "PLAIN_MODULE", hide_env_values = true)]
    plain: PathBuf,
    /// The sample application
    #[arg(long, env = "MOCK_SERVICE_BIN", hide_env_values = true)]
    mock_service: PathBuf,
    /// The load generator
    #[arg(long, env = "WRK_BIN", hide_env_values = true)]
    wrk: PathBuf,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    ctrlc::set_handler(|| load::INTERRUPTED.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    let pace = match (cli.quick, cli.check) {
        (true, _) => Pace::QUICK,
        (false, true) => Pace::CHECK,
        (false, false) => Pace::FULL,
    };
    let bench = Bench::new(cli.programs, pace)?;
    if cli.check {
        return Ok(if check::run(&bench)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let sections = if cli.only.is_empty() { Name::value_variants() } else { &cli.only };
    let folder = if cli.quick || !cli.only.is_empty() { "target/bench" } else { "bench" };
    let mut report = Report { machine: bench.machine()?, goals: Vec::new(), sections: Vec::new() };
    for name in sections {
        let (section, goals) = name.run(&bench)?;
        println!("## {}\n\n{}", section.title, section.table());
        report.sections.push(section);
        report.goals.extend(goals);
    }
    report.write(&bench.repository.join(folder))?;
    println!(
        "{}\n{folder}/report.md has all of it, {folder}/figures.json the same for programs.",
        goals_table(&report.goals)
    );
    Ok(ExitCode::SUCCESS)
}
