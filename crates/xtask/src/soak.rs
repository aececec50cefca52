//! `xtask soak`: the suite of the constant rate, for longer than `make test` has it, and its tables in the documentation.

use std::fs;

use anyhow::Result;
use clap::Args;

use crate::{process, project::Project, setup, setup::envoy::EnvoyChoice, test::build, written};

const DOCUMENT: &str = "docs/load.md";

/// The arguments of `xtask soak`.
#[derive(Args)]
pub(crate) struct Options {
    /// How long
    #[arg(long, default_value_t = 3, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// Runs it, and writes what came of it.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let envoy = options.envoy.ensure(project)?;
    setup::ensure(project, "opentelemetry")?;
    build(project)?;
    let table = tempfile::NamedTempFile::new()?;
    let mut cargo = project.cargo(["test", "--locked", "--test", "soak"]);
    cargo.env("LANES_DIST", project.dist()).env("ENVOY_BIN", envoy).env("SOAK_TABLE", table.path());
    process::run(cargo.env("SOAK_SECONDS", (options.minutes * 60).to_string()))?;
    let command = format!("make soak MINUTES={}", options.minutes);
    written::write(project, DOCUMENT, &command, &fs::read_to_string(table.path())?)
}
