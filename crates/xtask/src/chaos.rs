//! `xtask chaos`: the suite of faults, with more of everything than `make test` has, and its tables in the documentation.

use std::fs;

use anyhow::Result;

use crate::{process, project::Project, setup::envoy::EnvoyChoice, test::build, written};

const DOCUMENT: &str = "docs/faults.md";

/// Runs it, and writes what it cost.
pub(crate) fn run(project: &Project, envoy: &EnvoyChoice) -> Result<()> {
    let envoy = envoy.ensure(project)?;
    build(project)?;
    let table = tempfile::NamedTempFile::new()?;
    let mut cargo = project.cargo(["test", "--locked", "--test", "faults"]);
    cargo.env("LANES_DIST", project.dist()).env("ENVOY_BIN", envoy).env("CHAOS_TABLE", table.path());
    process::run(&mut cargo)?;
    written::write(project, DOCUMENT, "make chaos", &fs::read_to_string(table.path())?)
}
