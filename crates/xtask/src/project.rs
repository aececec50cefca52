//! Where things are in the repository.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The repository's root folder; every path is derived from it.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The repository that this program was built from.
    pub(crate) fn locate() -> Self {
        Self::at(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/")))
    }

    /// The repository at `root`, an absolute path.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The root folder, absolute.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Tools fetched or built by set-up.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// The modules to ship, with their checksums.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// What pip installs, pinned by hash: one file for each package and version.
    pub(crate) fn requirements(&self) -> PathBuf {
        self.root.join("crates/xtask/requirements")
    }

    /// `path` as a reader of the output wants it: relative to the root where it lies below it.
    pub(crate) fn display<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// `program`, started in the root folder.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments);
        command
    }

    /// The version of `package` in Cargo.lock.
    pub(crate) fn locked_version(&self, package: &str) -> Result<String> {
        let path = self.root.join("Cargo.lock");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        locked_version(&text, package)
    }
}

fn locked_version(lock: &str, package: &str) -> Result<String> {
    let lock: toml::Table = lock.parse().context("failed to parse Cargo.lock")?;
    let packages = lock.get("package").and_then(|packages| packages.as_array()).into_iter().flatten();
    let mut versions = packages
        .filter(|entry| entry.get("name").and_then(|name| name.as_str()) == Some(package))
        .filter_map(|entry| entry.get("version")?.as_str());
    match (versions.next(), versions.next()) {
        (Some(version), None) => Ok(version.to_owned()),
        (None, _) => bail!("Cargo.lock: no package {package}"),
        (Some(_), Some(_)) => bail!("Cargo.lock: several versions of {package}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(Project::locate().root().join("crates/xtask/Cargo.toml").is_file());
    }

    #[test]
    fn one_locked_version_is_wanted() {
        let lock = r#"
            version = 4
            [[package]]
            name = "one"
            version = "1.2.3"
            [[package]]
            name = "two"
            version = "0.1.0"
            [[package]]
            name = "two"
            version = "0.2.0"
        "#;

        assert_eq!(locked_version(lock, "one").unwrap(), "1.2.3");
        assert_eq!(locked_version(lock, "two").unwrap_err().to_string(), "Cargo.lock: several versions of two");
        assert_eq!(locked_version(lock, "three").unwrap_err().to_string(), "Cargo.lock: no package three");
    }
}
