//! `wasm-bindgen-test-runner`, which runs the unit tests that are compiled to WebAssembly.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    project::Project,
    setup::install::{Tool, cargo_install},
};

const PROGRAM: &str = "wasm-bindgen-test-runner";

/// The program, of exactly the version of wasm-bindgen that the tests are compiled with: it refuses any other.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf> {
    let version = project.locked_version("wasm-bindgen")?;
    let tool =
        Tool { name: format!("{PROGRAM}-{version}"), source: version.clone(), effort: "about a minute to build" };
    // Not --locked: the lock file that the package carries names crate versions that no longer resolve.
    let only = ["--bin", PROGRAM];
    let folder = tool.ensure(project, |folder| cargo_install(project, folder, "wasm-bindgen-cli", &version, &only))?;
    Ok(folder.join("bin").join(PROGRAM))
}
