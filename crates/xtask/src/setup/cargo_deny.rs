//! cargo-deny, which holds deny.toml.

use std::path::PathBuf;

use anyhow::Result;
use semver::Version;

use crate::{
    process,
    project::Project,
    setup::install::{Tool, cargo_install},
};

const VERSION: Version = Version::new(0, 20, 2);

/// The program: the one on `PATH` if it is new enough.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf> {
    let on_path = PathBuf::from("cargo-deny");
    let found = process::output(project.command(&on_path).arg("--version"));
    if found.is_ok_and(|version| is_new_enough(&version)) {
        return Ok(on_path);
    }
    let version = VERSION.to_string();
    let tool =
        Tool { name: format!("cargo-deny-{VERSION}"), source: version.clone(), effort: "about a minute to build" };
    let folder =
        tool.ensure(project, |folder| cargo_install(project, folder, "cargo-deny", &version, &["--locked"]))?;
    Ok(folder.join("bin/cargo-deny"))
}

fn is_new_enough(version: &str) -> bool {
    let version = version.trim().strip_prefix("cargo-deny ").map(Version::parse);
    version.is_some_and(|version| version.is_ok_and(|version| version >= VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_unreadable_versions_are_not_used() {
        assert!(is_new_enough("cargo-deny 0.20.2\n"));
        assert!(is_new_enough("cargo-deny 1.0.0\n"));
        assert!(!is_new_enough("cargo-deny 0.18.3\n"));
        assert!(!is_new_enough("cargo 1.95.0\n"));
    }
}
