//! Folders under `.tools/` that are either whole or absent.

use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{console, process, project::Project};

/// Says what an installed folder was made from, so that a changed pin is installed anew.
const STAMP: &str = ".installed-from";
const STAGING: &str = ".staging-";

/// One tool in a folder of its own.
pub(crate) struct Tool<'a> {
    /// The folder's name, and how messages call the tool: `envoy-1.38.2`.
    pub(crate) name: String,
    /// What it is made from, for instance the pinned hashes.
    pub(crate) source: String,
    /// What installing takes, for the user who waits: `35 MB to download`.
    pub(crate) effort: &'a str,
}

impl Tool<'_> {
    /// The tool's folder. If it is not there yet, `fill` makes it in a sibling folder that is renamed when all is well.
    /// Only one process at a time installs; others wait for it.
    pub(crate) fn ensure(&self, project: &Project, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let tools = project.tools();
        let folder = tools.join(&self.name);
        if self.is_whole(&folder) {
            return Ok(folder);
        }
        fs::create_dir_all(&tools).with_context(|| format!("failed to create {}", tools.display()))?;
        let _lock = lock(&tools)?;
        // Another process may have installed it while this one waited.
        if self.is_whole(&folder) {
            return Ok(folder);
        }
        console::say(&format!("installing {} into {} ({}, once)", self.name, project.display(&folder), self.effort));
        self.install(&tools, &folder, fill).with_context(|| format!("failed to install {}", self.name))?;
        Ok(folder)
    }

    fn is_whole(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == self.source)
    }

    fn install(&self, tools: &Path, folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        remove_leftovers(tools)?;
        let staging = tempfile::Builder::new().prefix(STAGING).tempdir_in(tools)?;
        fill(staging.path())?;
        fs::write(staging.path().join(STAMP), &self.source)?;
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => fs::rename(staging.keep(), folder)?,
        }
        Ok(())
    }
}

/// Points `name` in `tools` at `folder` beside it, never leaving it absent in between.
pub(crate) fn link(tools: &Path, name: &str, folder: &str) -> Result<()> {
    let link = tools.join(name);
    if fs::read_link(&link).is_ok_and(|target| target == Path::new(folder)) {
        return Ok(());
    }
    let staging = tempfile::Builder::new().prefix(".link-").tempdir_in(tools)?;
    let new = staging.path().join(name);
    symlink(folder, &new)
        .and_then(|()| fs::rename(&new, &link))
        .with_context(|| format!("failed to point {} at {folder}", link.display()))
}

/// Builds a program with cargo into `folder`/bin. In the dev profile: it runs seconds and would compile for minutes.
pub(crate) fn cargo_install(
    project: &Project,
    folder: &Path,
    package: &str,
    version: &str,
    extra: &[&str],
) -> Result<()> {
    let mut command = project.cargo(["install", package, "--version", version, "--debug", "--no-default-features"]);
    // On PATH, because cargo advises to put it there otherwise.
    command.args(extra).arg("--root").arg(folder).env("PATH", process::path_with(&folder.join("bin"))?);
    process::run(&mut command)
}

fn lock(tools: &Path) -> Result<File> {
    let path = tools.join(".lock");
    let describe = || format!("failed to lock {}", path.display());
    let file = File::create(&path).with_context(describe)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            console::say("waiting for another set-up of this project to finish");
            file.lock().with_context(describe)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(describe),
    }
    Ok(file)
}

/// What an interrupted set-up left: nobody else works in a staging folder while this process holds the lock.
fn remove_leftovers(tools: &Path) -> Result<()> {
    for entry in fs::read_dir(tools)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn tool(source: &str) -> Tool<'static> {
        Tool { name: "tool-1.0.0".into(), source: source.into(), effort: "nothing" }
    }

    fn fill_with(text: &str) -> impl FnOnce(&Path) -> Result<()> {
        move |folder| Ok(fs::write(folder.join("program"), text)?)
    }

    #[test]
    fn a_tool_is_installed_once() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());

        let folder = tool("pin").ensure(&project, fill_with("first")).unwrap();
        let again = tool("pin").ensure(&project, |_| bail!("must not be called")).unwrap();

        assert_eq!(again, folder);
        assert_eq!(fs::read_to_string(folder.join("program")).unwrap(), "first");
    }

    #[test]
    fn a_changed_pin_is_installed_anew() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());

        tool("pin").ensure(&project, fill_with("first")).unwrap();
        let folder = tool("other pin").ensure(&project, fill_with("second")).unwrap();

        assert_eq!(fs::read_to_string(folder.join("program")).unwrap(), "second");
    }

    #[test]
    fn a_failed_installation_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());

        let error = tool("pin").ensure(&project, |folder| {
            fs::write(folder.join("program"), "half")?;
            bail!("disk full")
        });

        assert_eq!(format!("{:#}", error.unwrap_err()), "failed to install tool-1.0.0: disk full");
        assert!(!project.tools().join("tool-1.0.0").exists());
        assert!(!has_staging(&project));
    }

    #[test]
    fn what_an_interrupted_set_up_left_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let project = Project::at(root.path());
        fs::create_dir_all(project.tools().join("tool-1.0.0")).unwrap();
        fs::create_dir_all(project.tools().join(".staging-abc")).unwrap();

        let folder = tool("pin").ensure(&project, fill_with("whole")).unwrap();

        assert_eq!(fs::read_to_string(folder.join("program")).unwrap(), "whole");
        assert!(!has_staging(&project));
    }

    #[test]
    fn the_link_follows_the_last_choice() {
        let tools = tempfile::tempdir().unwrap();
        for version in ["envoy-1.38.2", "envoy-1.40.0", "envoy-1.40.0"] {
            link(tools.path(), "envoy", version).unwrap();

            assert_eq!(fs::read_link(tools.path().join("envoy")).unwrap(), Path::new(version));
        }
        assert_eq!(fs::read_dir(tools.path()).unwrap().count(), 1);
    }

    fn has_staging(project: &Project) -> bool {
        let mut entries = fs::read_dir(project.tools()).unwrap();
        entries.any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(STAGING))
    }
}
