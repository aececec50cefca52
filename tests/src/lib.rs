//! The harness: shared cases, an in-process host for the modules, and what stands around a real Envoy.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

pub mod both;
pub mod cases;
pub mod cluster;
pub mod containers;
pub mod discovery;
pub mod echo;
pub mod filter;
pub mod hostile_registry;
pub mod http1;
pub mod load;
pub mod module_host;
mod process;
pub mod prometheus;
pub mod registry;
pub mod relay;
pub mod sdks;
pub mod shown;
pub mod tier;
pub mod token_registry;
pub mod trace_application;
pub mod trace_connection;
pub mod trace_listeners;
pub mod vectors;
pub mod walkthrough;
pub mod wasm_listeners;
pub mod worker;

/// A file of `tests/testdata/`.
pub fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// The repository.
pub fn repository() -> &'static Path {
    const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");
    Path::new(PACKAGE).parent().unwrap_or(Path::new(PACKAGE))
}

/// A release module, from the directory that `LANES_DIST` names, else from `dist/`.
///
/// # Errors
/// It has not been built.
pub fn module(name: &str) -> Result<PathBuf> {
    let module = dist().join(name);
    ensure!(module.is_file(), "there is no {}: run `make dist`", module.display());
    Ok(module)
}

/// Where the release modules are.
pub fn dist() -> PathBuf {
    env::var_os("LANES_DIST").map_or_else(|| repository().join("dist"), PathBuf::from)
}

/// The sample application.
///
/// # Errors
/// It has not been built.
pub fn mock_service() -> Result<PathBuf> {
    built("mock-service")
}

/// A program of this workspace, which cargo builds beside the test that runs.
///
/// # Errors
/// It has not been built.
pub fn built(name: &str) -> Result<PathBuf> {
    let test = env::current_exe()?;
    let program = test.ancestors().nth(2).context("a test runs from a folder of cargo's")?.join(name);
    ensure!(program.is_file(), "there is no {}: run `cargo build --bin {name}`", program.display());
    Ok(program)
}
