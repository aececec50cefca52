//! Programs that come as Debian packages, unpacked below `.tools/`: nothing of the system changes, and root is not needed.
//! Their signatures are apt's business; which version it is, the system's: its libraries must fit.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, Result};

use super::Tool;
use crate::{process, project::Project};

/// Runs the program beside it with the libraries that came along, which are not where the system looks.
const LAUNCHER: &str = r#"#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for folder in "$here"/usr/lib/*-linux-gnu* "$here"/usr/lib/*-linux-gnu*/pulseaudio "$here"/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "$here/FOLDER/PROGRAM" "$@"
"#;

/// Where programs are in a package, unless the table of tools says something else.
const FOLDER: &str = "usr/bin";

/// What an installed package was made from.
pub(super) fn pin(tool: &Tool) -> String {
    format!("the system's package {}\n{}", tool.name, launcher(tool))
}

fn launcher(tool: &Tool) -> String {
    LAUNCHER.replace("FOLDER", tool.inside.as_deref().unwrap_or(FOLDER))
}

/// Unpacks the package, and what it needs and the system lacks.
pub(super) fn install(project: &Project, tool: &Tool, folder: &Path) -> Result<()> {
    let package = &tool.name;
    // Lists and a cache of its own, but the system's sources, keys and knowledge of what is installed.
    let own = tempfile::tempdir()?;
    let (lists, cache) = (own.path().join("lists"), own.path().join("cache"));
    fs::create_dir_all(lists.join("partial"))?;
    fs::create_dir_all(cache.join("archives/partial"))?;
    let apt = |arguments: &[&str]| {
        let mut apt = project.command("apt-get");
        apt.arg("-o").arg(format!("Dir::State::Lists={}", lists.display()));
        apt.arg("-o").arg(format!("Dir::Cache={}", cache.display()));
        // The folder is this user's alone, and apt would become another user in it, and lock the system's.
        apt.args(["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1", "-qq"]);
        process::output(apt.args(arguments))
    };
    apt(&["update"]).context("it comes with Debian and Ubuntu")?;
    apt(&["install", "--download-only", "--no-install-recommends", "--assume-yes", package])?;
    for archive in fs::read_dir(cache.join("archives"))? {
        let archive = archive?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            process::run(project.command("dpkg-deb").arg("--extract").arg(archive).arg(folder))?;
        }
    }
    let program = folder.join(package);
    fs::write(&program, launcher(tool).replace("PROGRAM", package))?;
    Ok(fs::set_permissions(&program, Permissions::from_mode(0o755))?)
}
