//! The tests, tier by tier: from single functions to a real Envoy.

use std::{env, ffi::OsString};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{
    containers, dist, process,
    project::Project,
    setup::{
        node, opentelemetry, registry,
        wasm_target::{self, UNIT_TESTS},
        wasm_test_runner,
    },
    test::{
        Options,
        session::{Session, Verdict},
        tally,
    },
};

/// The package with the suites.
const SUITES: &str = "traffic-lanes-tests";
/// The crates that are compiled into filters and know nothing of Proxy-Wasm.
const PURE: [&str; 6] =
    ["header-edit", "plugin-config", "baggage", "baggage-propagation", "hash-tagging", "trace-propagation"];

/// A group of tests that need the same surroundings.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    /// Unit tests of all crates
    Unit,
    /// Unit tests of the pure crates, inside WebAssembly
    Wasm,
    /// The shared cases through the pure crates
    Native,
    /// The shared cases through the release modules in an in-process host
    Module,
    /// Images of the release modules, through a real registry
    Registry,
    /// The shared cases, and the walkthroughs, through a real Envoy
    Envoy,
    /// Every rendering of every walkthrough, applied to a real Kubernetes API; only if it is named
    Cluster,
    /// The walkthroughs as containers, which need a Docker engine; only if it is named
    Containers,
}

const ALWAYS: [Tier; 6] = [Tier::Unit, Tier::Wasm, Tier::Native, Tier::Module, Tier::Registry, Tier::Envoy];

impl Tier {
    fn name(self) -> &'static str {
        match self {
            Self::Unit => "tier unit",
            Self::Wasm => "tier wasm",
            Self::Native => "tier native",
            Self::Module => "tier module",
            Self::Registry => "tier registry",
            Self::Envoy => "tier envoy",
            Self::Cluster => "tier cluster",
            Self::Containers => "tier containers",
        }
    }

    /// The suites, as test targets of their package.
    fn suites(self) -> &'static [&'static str] {
        match self {
            Self::Unit | Self::Wasm => &[],
            Self::Native => &["native", "hashing", "baggage", "cost", "documents", "trace_table", "trace_documents"],
            Self::Module => &["module", "plugins", "host_calls", "floor", "shape"],
            Self::Registry => &["images"],
            Self::Envoy => &[
                "envoy",
                "agreement",
                "claims",
                "hostile",
                "hostile_baggage",
                "lifecycle",
                "matching",
                "precedence",
                "updates",
                "user_segment",
                "permissive_baggage",
                "validate",
                "walkthroughs",
                "clients",
                "faults",
                "isolation",
                "trace_hostile",
                "trace_memory",
                "trace_workers",
            ],
            Self::Cluster => &["cluster"],
            Self::Containers => &["containers"],
        }
    }

    fn runs_modules(self) -> bool {
        matches!(self, Self::Module | Self::Registry | Self::Envoy | Self::Containers)
    }
}

/// Runs the tiers asked for, or all that need nothing but this machine if none is named.
pub(crate) fn run(project: &Project, options: &Options, session: &mut Session) {
    let tiers = if options.tiers.is_empty() { &ALWAYS[..] } else { &options.tiers };
    let mut built = None;
    for &tier in tiers {
        if tier.runs_modules() && built.is_none() {
            built = Some(session.step("build", || build(project)));
        }
        session.step(tier.name(), || match tier {
            Tier::Unit => unit(project),
            Tier::Wasm => wasm(project),
            // Never against modules of an earlier build.
            _ if tier.runs_modules() && built != Some(true) => bail!("not run, because the step `build` failed"),
            Tier::Envoy => {
                opentelemetry::ensure(project)?;
                suites(project, tier, &[("ENVOY_BIN", options.envoy.ensure(project)?.into())])
            }
            Tier::Registry => {
                let programs = [
                    ("DOCKER_REGISTRY_BIN", registry::docker_registry(project)?.into()),
                    ("SKOPEO_BIN", registry::skopeo(project)?.into()),
                ];
                lanes(project)?;
                suites(project, tier, &programs)
            }
            Tier::Cluster => {
                let api = options.cluster.ensure(project)?;
                lanes(project)?;
                suites(project, tier, &api)
            }
            Tier::Containers => {
                containers::build(project, &options.envoy)?;
                suites(project, tier, &[])
            }
            Tier::Native | Tier::Module => suites(project, tier, &[]),
        });
    }
}

/// What the suites run: the modules, and the application behind Envoy.
fn build(project: &Project) -> Result<Verdict> {
    dist::build(project)?;
    process::run(&mut project.cargo(["build", "--package", "mock-service", "--locked"]))?;
    Ok(Verdict::Passed(None))
}

/// The tool, for suites that are its users.
fn lanes(project: &Project) -> Result<()> {
    process::run(&mut project.cargo(["build", "--package", "lanes", "--locked"]))
}

fn unit(project: &Project) -> Result<Verdict> {
    tally::run(&mut project.cargo(["test", "--workspace", "--exclude", SUITES, "--no-fail-fast", "--locked"]))
}

fn wasm(project: &Project) -> Result<Verdict> {
    wasm_target::ensure(project)?;
    let mut cargo = project.cargo(["test", "--target", UNIT_TESTS, "--lib", "--no-fail-fast", "--locked"]);
    cargo.args(PURE.iter().flat_map(|package| ["--package", package]));
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", wasm_test_runner::ensure(project)?);
    tally::run(cargo.env("PATH", node::ensure(project)?))
}

fn suites(project: &Project, tier: Tier, variables: &[(&str, OsString)]) -> Result<Verdict> {
    let mut cargo = project.cargo(["test", "--package", SUITES, "--no-fail-fast", "--locked"]);
    cargo.args(tier.suites().iter().flat_map(|suite| ["--test", suite]));
    if tier == Tier::Native {
        // The harness's own unit tests.
        cargo.arg("--lib");
    }
    if tier == Tier::Containers && env::var_os("ENVOY_IMAGE").is_none() {
        cargo.env("ENVOY_IMAGE", containers::ENVOY);
    }
    tally::run(cargo.env("LANES_DIST", project.dist()).envs(variables.iter().cloned()))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_suite_belongs_to_a_tier() {
        let mut listed: Vec<_> = Tier::value_variants().iter().flat_map(|tier| tier.suites()).copied().collect();
        listed.sort_unstable();
        let folder = Project::locate().root().join("tests/tests");
        let mut found: Vec<_> =
            fs::read_dir(folder).unwrap().filter_map(|entry| suite(&entry.unwrap().path())).collect();
        found.sort_unstable();

        assert_eq!(listed, found);
    }

    /// The name of the test target that cargo makes of a file or folder.
    fn suite(path: &Path) -> Option<String> {
        let is_suite = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        is_suite.then(|| path.file_stem().unwrap().to_string_lossy().into_owned())
    }
}
