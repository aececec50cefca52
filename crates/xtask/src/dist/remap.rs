//! Panic messages carry source paths. These compiler flags replace every path of this machine by a fixed one.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{process, project::Project, setup::wasm_target::WASM};

/// Folders of this machine, and what stands for them in a module.
pub(crate) struct Remap {
    folders: BTreeMap<String, String>,
}

impl Remap {
    /// The workspace, the folders with its dependencies' sources, and the standard library's sources.
    pub(crate) fn of(project: &Project) -> Result<Self> {
        let mut folders =
            BTreeMap::from([(project.root().display().to_string(), "/source".to_owned()), standard_library(project)?]);
        let metadata = process::output(&mut project.cargo([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
            WASM,
        ]))?;
        let registries = registries(&metadata)?;
        folders.extend(registries.into_iter().map(|folder| (folder, "/registry".to_owned())));
        Ok(Self { folders })
    }

    /// The flags in the encoding of cargo's variable `CARGO_ENCODED_RUSTFLAGS`.
    pub(crate) fn encoded_rustflags(&self) -> String {
        let flags = self.folders.iter().map(|(folder, fixed)| format!("--remap-path-prefix={folder}={fixed}"));
        flags.collect::<Vec<_>>().join("\x1f")
    }

    /// Fails if one of the folders still shows in a module.
    pub(crate) fn check(&self, module: &[u8]) -> Result<()> {
        for folder in self.folders.keys() {
            if module.windows(folder.len()).any(|window| window == folder.as_bytes()) {
                bail!("it contains the path {folder}");
            }
        }
        Ok(())
    }
}

/// The precompiled library has these fixed paths already; with the component rust-src, rustc puts the local ones back.
fn standard_library(project: &Project) -> Result<(String, String)> {
    let sysroot = process::output(project.command("rustc").args(["--print", "sysroot"]))?;
    let version = process::output(project.command("rustc").args(["--version", "--verbose"]))?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    let commit = commit.context("`rustc --version --verbose` tells no commit-hash")?;
    Ok((format!("{}/lib/rustlib/src/rust", sysroot.trim()), format!("/rustc/{commit}")))
}

/// The folders that hold the sources of the dependencies: their names depend on where cargo's home is and on the
/// registry's address.
fn registries(metadata: &str) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(metadata).context("failed to parse `cargo metadata`")?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("`cargo metadata` lists no packages")?;
    let foreign = packages.iter().filter(|package| package.get("source").is_some_and(|source| !source.is_null()));
    let manifests = foreign.filter_map(|package| package.get("manifest_path")?.as_str());
    let mut folders: Vec<_> =
        manifests.filter_map(|path| Some(Path::new(path).ancestors().nth(2)?.display().to_string())).collect();
    folders.sort();
    folders.dedup();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folders_of_foreign_packages_are_registries() {
        let metadata = r#"{"packages": [
            {"name": "own", "source": null, "manifest_path": "/home/me/lanes/crates/own/Cargo.toml"},
            {"name": "b", "source": "registry+x", "manifest_path": "/home/me/.cargo/registry/src/x-1/b-1.0.0/Cargo.toml"},
            {"name": "a", "source": "registry+x", "manifest_path": "/home/me/.cargo/registry/src/x-1/a-1.0.0/Cargo.toml"}
        ]}"#;

        assert_eq!(registries(metadata).unwrap(), ["/home/me/.cargo/registry/src/x-1"]);
    }

    #[test]
    fn a_module_with_a_path_of_this_machine_is_refused() {
        let remap = Remap { folders: BTreeMap::from([("/home/me".into(), "/source".into())]) };

        assert_eq!(remap.encoded_rustflags(), "--remap-path-prefix=/home/me=/source");
        assert!(remap.check(b"\0asm /source/lib.rs").is_ok());
        assert!(remap.check(b"\0asm /home/me/lib.rs").is_err());
    }
}
