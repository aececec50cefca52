//! `xtask chaos`, `xtask soak`, `xtask hostile`: suites that `make test` runs in short, at length, and their tables in the
//! documentation.

use std::fs;

use anyhow::Result;
use clap::Args;

use crate::{
    process,
    project::Project,
    setup::{self, envoy::EnvoyChoice},
    test, written,
};

/// The arguments of `xtask soak`.
#[derive(Args)]
pub(crate) struct Soak {
    /// How long
    #[arg(long, default_value_t = 3, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// The arguments of `xtask hostile`.
#[derive(Args)]
pub(crate) struct Hostile {
    /// How many requests each filter gets
    #[arg(long, default_value_t = 1_000_000, value_name = "REQUESTS")]
    requests: u32,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// A suite that writes its table into the file that a variable names.
struct Suite<'a> {
    name: &'a str,
    table: &'a str,
    document: &'a str,
    command: String,
}

/// What faults cost.
pub(crate) fn chaos(project: &Project, envoy: &EnvoyChoice) -> Result<()> {
    let command = "make chaos".to_owned();
    let suite = Suite { name: "faults", table: "CHAOS_TABLE", document: "docs/faults.md", command };
    suite.run(project, envoy, None)
}

/// What a constant rate shows.
pub(crate) fn soak(project: &Project, Soak { minutes, envoy }: &Soak) -> Result<()> {
    let command = format!("make soak MINUTES={minutes}");
    let suite = Suite { name: "soak", table: "SOAK_TABLE", document: "docs/load.md", command };
    suite.run(project, envoy, Some(("SOAK_SECONDS", minutes * 60)))
}

/// What hostile requests do.
pub(crate) fn hostile(project: &Project, Hostile { requests, envoy }: &Hostile) -> Result<()> {
    let command = format!("make hostile REQUESTS={requests}");
    let suite = Suite { name: "hostile_load", table: "HOSTILE_TABLE", document: "docs/hostile-input.md", command };
    suite.run(project, envoy, Some(("HOSTILE_REQUESTS", *requests)))
}

impl Suite<'_> {
    fn run(&self, project: &Project, envoy: &EnvoyChoice, extent: Option<(&str, u32)>) -> Result<()> {
        let envoy = envoy.ensure(project)?;
        setup::ensure(project, "opentelemetry")?;
        test::build(project)?;
        let table = tempfile::NamedTempFile::new()?;
        let mut cargo = project.cargo(["test", "--locked", "--test", self.name]);
        cargo.env("LANES_DIST", project.dist()).env("ENVOY_BIN", envoy).env(self.table, table.path());
        cargo.envs(extent.map(|(name, value)| (name, value.to_string())));
        process::run(&mut cargo)?;
        written::write(project, self.document, &self.command, &fs::read_to_string(table.path())?)
    }
}
