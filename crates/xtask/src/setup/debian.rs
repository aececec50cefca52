//! Programs that come as Debian packages, unpacked below `.tools/`: nothing of the system changes, and root is not needed.
//! Their signatures are apt's business; which version it is, the system's: its libraries must fit.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{console, process, project::Project, setup::install::Tool};

/// Runs the program beside it with the libraries that came along, which are not where the system looks.
const LAUNCHER: &str = r#"#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
for folder in "$here"/usr/lib/*-linux-gnu* "$here"/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "$here/usr/bin/PROGRAM" "$@"
"#;

/// A program, and the package of the same name.
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    /// What installing takes.
    pub(crate) effort: &'a str,
}

impl Package<'_> {
    /// The program: the one on `PATH`, else the package's, installed if it was missing and seen to run.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf> {
        let on_path = PathBuf::from(self.name);
        if version(&mut project.command(&on_path)).is_ok() {
            return Ok(on_path);
        }
        let source = format!("the system's package {}\n{LAUNCHER}", self.name);
        let tool = Tool { name: self.name.to_owned(), source, effort: self.effort };
        Ok(tool.ensure(project, |folder| self.install(project, folder))?.join(self.name))
    }

    fn install(&self, project: &Project, folder: &Path) -> Result<()> {
        for program in ["apt-get", "dpkg-deb"] {
            process::output(project.command(program).arg("--version")).with_context(|| {
                format!("it comes with Debian and Ubuntu: on another system, put `{}` on PATH", self.name)
            })?;
        }
        let apt = PrivateApt::new()?;
        process::output(apt.command(project).arg("update"))?;
        let mut download = apt.command(project);
        download.args(["install", "--download-only", "--no-install-recommends", "--assume-yes", self.name]);
        process::output(&mut download).with_context(|| format!("apt has no {}", self.name))?;
        for package in apt.packages()? {
            process::run(project.command("dpkg-deb").arg("--extract").arg(package).arg(folder))?;
        }
        ensure!(folder.join("usr/bin").join(self.name).is_file(), "the package has no usr/bin/{}", self.name);

        let launcher = folder.join(self.name);
        fs::write(&launcher, LAUNCHER.replace("PROGRAM", self.name))?;
        fs::set_permissions(&launcher, Permissions::from_mode(0o755))?;
        console::say(&version(&mut project.command(&launcher))?);
        Ok(())
    }
}

/// The first line of what the program says of itself. Its status says nothing: wrk ends with 1 after its version.
fn version(program: &mut Command) -> Result<String> {
    let output = program.arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().next().context("it does not run")?.trim().to_owned())
}

/// apt with lists and a cache of its own, but the system's sources, keys and knowledge of what is installed: so it
/// downloads what the system lacks, and no more.
struct PrivateApt {
    folder: tempfile::TempDir,
}

impl PrivateApt {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for below in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.path().join(below))?;
        }
        Ok(Self { folder })
    }

    fn command(&self, project: &Project) -> Command {
        let mut apt = project.command("apt-get");
        let folder = self.folder.path().display();
        apt.args(["-o", &format!("Dir::State::Lists={folder}/lists"), "-o", &format!("Dir::Cache={folder}/cache")]);
        // The folder is this user's alone, and apt would become another user in it, and lock the system's.
        apt.args(["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1", "-qq"]);
        apt
    }

    fn packages(&self) -> Result<Vec<PathBuf>> {
        let mut packages = Vec::new();
        for entry in fs::read_dir(self.folder.path().join("cache/archives"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                packages.push(path);
            }
        }
        packages.sort();
        Ok(packages)
    }
}
