//! The logic behind the Makefile: set-up, distribution, demo, test run and bench.

mod bench;
mod book;
mod compose;
mod console;
mod containers;
mod demo;
mod dist;
mod fuzz;
mod images;
mod measured;
mod process;
mod project;
mod release;
mod screenshots;
mod setup;
mod test;
mod written;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{project::Project, setup::envoy::EnvoyChoice};

#[derive(Parser)]
#[command(about = "What `make` runs: set-up, distribution, demo and test run", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch or build the tools that are missing, into .tools/
    Setup(setup::Options),
    /// Play the walkthrough on real Envoys of this machine, and compare with what was published
    Demo(demo::Options),
    /// Start the walkthrough and keep it running until Ctrl-C
    Up(demo::Options),
    /// Build the filters as release modules into dist/, with their checksums
    Dist,
    /// Build an image of each filter in every form into dist/images/, and the containers of the walkthroughs
    Images(images::Options),
    /// Push an image of each filter, and write the files of a release into dist/release/
    Release(release::Options),
    /// Write envoy/compose.yaml, and where Prometheus finds its proxies, anew from the lane groups
    Compose,
    /// Build the documentation as a site into target/book/html, and check its links
    Book,
    /// Take the pictures of the page in docs/ anew
    Screenshots(EnvoyChoice),
    /// Check format, lints, dependencies and documentation
    Lint,
    /// Run every check and every test, and sum them up
    Test(test::Options),
    /// Run the filters' suites and two walkthroughs on every Envoy that is pinned, and write the table into the README
    Matrix(test::matrix::Options),
    /// Let happen to pods, gateway and configurations what can happen, and write what it cost into the documentation
    Chaos(EnvoyChoice),
    /// Send a constant rate of requests through three walkthroughs, and write what came of it into the documentation
    Soak(measured::Soak),
    /// Send generated hostile requests to each filter in a real Envoy, and write what came of it into the documentation
    Hostile(measured::Hostile),
    /// Give every parser and every decision hostile input for a while, and write what came of it into the documentation
    Fuzz(fuzz::Options),
    /// Measure what a lane costs, on real Envoys
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let project = Project::locate();
    let command = Cli::parse().command;
    match process::handle_interrupts().and_then(|()| run(&project, &command)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well, where a command has already said what is not.
fn run(project: &Project, command: &Command) -> Result<bool> {
    match command {
        Command::Setup(options) => setup::run(project, options)?,
        Command::Demo(options) => return demo::demo(project, options),
        Command::Up(options) => demo::up(project, options)?,
        Command::Dist => dist::build(project)?,
        Command::Images(options) => images::build(project, options)?,
        Command::Release(options) => release::release(project, options)?,
        Command::Compose => compose::write(project)?,
        Command::Book => book::build(project)?,
        Command::Screenshots(envoy) => screenshots::take(project, envoy)?,
        Command::Lint => return Ok(test::lint(project)),
        Command::Test(options) => return Ok(test::run(project, options)),
        Command::Matrix(options) => return test::matrix::run(project, options),
        Command::Chaos(envoy) => measured::chaos(project, envoy)?,
        Command::Soak(options) => measured::soak(project, options)?,
        Command::Hostile(options) => measured::hostile(project, options)?,
        Command::Fuzz(options) => return fuzz::run(project, options),
        Command::Bench(options) => return bench::run(project, options),
    }
    Ok(true)
}
