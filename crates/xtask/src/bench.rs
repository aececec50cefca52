//! `xtask bench`: what the crate `bench` measures, and what it needs for that.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    console, dist, process,
    project::Project,
    setup::{self, envoy::EnvoyChoice, wasm_target::WASM},
};

/// The arguments of `xtask bench`.
#[derive(Args)]
pub(crate) struct Options {
    /// A few short rounds: whether it works, not what it costs
    #[arg(long)]
    quick: bool,
    /// Only these sections
    #[arg(long, value_name = "SECTION", num_args = 1.., conflicts_with = "check")]
    only: Vec<String>,
    /// Compare the ratios that have goals with those in bench/figures.json
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// Builds everything, then measures; true unless a check failed.
pub(crate) fn run(project: &Project, options: &Options) -> Result<bool> {
    console::heading("building what is measured, and what measures");
    let envoy = options.envoy.ensure(project)?;
    let wrk = setup::ensure(project, "wrk")?;
    dist::build(project)?;
    process::run(&mut project.cargo(["build", "--bin", "bench", "--locked"]))?;
    // A slow application would make every filter look cheap.
    process::run(&mut project.cargo(["build", "--release", "--package", "mock-service", "--locked"]))?;

    console::heading("measuring: leave the machine alone meanwhile");
    let built = built()?;
    let mut bench = project.command(built.join("debug/bench"));
    bench.args(options.quick.then_some("--quick")).args(options.check.then_some("--check"));
    if !options.only.is_empty() {
        bench.arg("--only").args(&options.only);
    }
    bench.env("ENVOY_BIN", envoy).env("WRK_BIN", wrk).env("LANES_DIST", project.dist());
    // What `make dist` has made the release module of.
    bench.env("PLAIN_MODULE", built.join(WASM).join("module/hash_tagging_filter.wasm"));
    bench.env("MOCK_SERVICE_BIN", built.join("release/mock-service"));
    // Its status says whether the check passed, and it has said why.
    Ok(process::status(&mut bench)?.success())
}

/// Where cargo builds; this program is in `debug` of it.
fn built() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(2).context("this program has no folder")?.to_owned())
}
