//! The tests, tier by tier: from single functions to a real Envoy.

use std::{
    env, fs, io,
    path::{self, Path},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::{
    containers, dist, process,
    project::Project,
    screenshots,
    setup::{
        self,
        wasm_target::{self, UNIT_TESTS},
    },
};

use super::{Checked, Options, Session, cases};

/// The crates that are compiled into filters and know nothing of Proxy-Wasm.
const PURE: [&str; 6] =
    ["header-edit", "plugin-config", "baggage", "baggage-propagation", "hash-tagging", "trace-propagation"];

/// A group of tests that need the same surroundings.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Tier {
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
    /// The page of a running mesh, in a real browser
    Page,
    /// Every rendering of every walkthrough, applied to a real Kubernetes API; only if it is named
    Cluster,
    /// The walkthroughs as containers, which need a Docker engine; only if it is named
    Containers,
}

const ALWAYS: [Tier; 7] = [Tier::Unit, Tier::Wasm, Tier::Native, Tier::Module, Tier::Registry, Tier::Envoy, Tier::Page];

/// What names the Kubernetes API that the cluster tier needs.
const CLUSTER: [&str; 4] = ["KUBE_APISERVER", "KUBE_CONTROLLER_MANAGER", "LANES_CRDS", "KUBECONFIG"];
const NO_CLUSTER: &str = "the cluster tier needs a Kubernetes API: KUBE_APISERVER, a kube-apiserver for it to start, with \
    LANES_CRDS, the resource definitions of Istio and of Gateway API; or KUBECONFIG, of a test cluster of yours that has \
    them. CONTRIBUTING.md says where they come from";

impl Tier {
    fn name(self) -> String {
        format!("tier {}", self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default())
    }

    /// The suites, as test targets of their package.
    fn suites(self) -> &'static [&'static str] {
        match self {
            Self::Unit | Self::Wasm => &[],
            Self::Native => {
                &["native", "hashing", "baggage", "cost", "documents", "languages", "trace_table", "trace_documents"]
            }
            Self::Module => &["module", "plugins", "host_calls", "floor", "shape"],
            Self::Registry => &["images"],
            Self::Envoy => &[
                "envoy",
                "agreement",
                "anonymous",
                "claims",
                "envoy_gateway",
                "hostile",
                "hostile_baggage",
                "hostile_load",
                "lifecycle",
                "matching",
                "mirroring",
                "native_tagging",
                "precedence",
                "updates",
                "user_segment",
                "permissive_baggage",
                "validate",
                "verify",
                "walkthroughs",
                "clients",
                "faults",
                "pages",
                "prometheus",
                "spans",
                "isolation",
                "soak",
                "trace_hostile",
                "trace_memory",
                "trace_workers",
            ],
            Self::Page => &["page"],
            Self::Cluster => &["cluster"],
            Self::Containers => &["containers"],
        }
    }

    fn runs_what_is_built(self) -> bool {
        !matches!(self, Self::Unit | Self::Wasm | Self::Native)
    }
}

/// Runs the tiers asked for, or all that need nothing but this machine if none is named.
pub(super) fn run(project: &Project, options: &Options, session: &mut Session) {
    let tiers = if options.tiers.is_empty() { &ALWAYS[..] } else { &options.tiers };
    let mut built = None;
    for &tier in tiers {
        if tier.runs_what_is_built() && built.is_none() {
            built = Some(session.step("build", |_| build(project)));
        }
        session.step(&tier.name(), |cases| {
            // Never against modules of an earlier build.
            ensure!(!tier.runs_what_is_built() || built == Some(true), "not run, because the step `build` failed");
            for mut command in tier.commands(project)? {
                tier.provide(project, options, &mut command)?;
                command.args(options.name.iter().flat_map(|name| ["--", name]));
                cases::run(&mut command, cases, &mut io::stdout().lock())?;
            }
            Ok(Checked::Yes)
        });
    }
}

/// What the suites run: the modules, the application behind Envoy, and the tool.
pub(super) fn build(project: &Project) -> Result<Checked> {
    dist::build(project)?;
    process::run(&mut project.cargo(["build", "--bin", "mock-service", "--bin", "lanes", "--locked"]))?;
    Ok(Checked::Yes)
}

impl Tier {
    /// Tests are named instead of packages: with a package cargo chooses the features of that one alone, and builds what the
    /// packages have in common once more for each choice.
    fn commands(self, project: &Project) -> Result<Vec<Command>> {
        let cargo = || project.cargo(["test", "--no-fail-fast", "--locked"]);
        let mut tests = cargo();
        match self {
            Self::Unit => {
                let of_crates = of_crates(project)?;
                tests.args(["--lib", "--bins"]).args(of_crates.iter().flat_map(|name| ["--test", name]));
                let mut documentation = cargo();
                documentation.arg("--doc");
                return Ok(vec![tests, documentation]);
            }
            Self::Wasm => tests
                .args(["--target", UNIT_TESTS, "--lib"])
                .args(PURE.iter().flat_map(|package| ["--package", package])),
            _ => tests.args(self.suites().iter().flat_map(|suite| ["--test", suite])),
        };
        Ok(vec![tests])
    }

    /// Sees to what the tier needs, and tells the tests where it is.
    fn provide(self, project: &Project, options: &Options, cargo: &mut Command) -> Result<()> {
        cargo.env("LANES_DIST", project.dist());
        match self {
            Self::Unit | Self::Module => {}
            Self::Native => node(project, cargo)?,
            Self::Wasm => {
                wasm_target::ensure(project)?;
                cargo.env(
                    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
                    setup::ensure(project, "wasm-bindgen-test-runner")?,
                );
                node(project, cargo)?;
            }
            Self::Registry => {
                cargo.env("DOCKER_REGISTRY_BIN", setup::ensure(project, "docker-registry")?);
                cargo.env("SKOPEO_BIN", setup::ensure(project, "skopeo")?);
            }
            Self::Envoy => {
                setup::ensure(project, "opentelemetry")?;
                if env::var_os("PROMETHEUS_BIN").is_none() || env::var_os("PROMTOOL_BIN").is_none() {
                    let prometheus = setup::ensure(project, "prometheus")?;
                    cargo.env("PROMTOOL_BIN", prometheus.with_file_name("usr/bin/promtool"));
                    cargo.env("PROMETHEUS_BIN", prometheus);
                }
                cargo.env("ENVOY_BIN", options.envoy.ensure(project)?);
            }
            Self::Page => {
                cargo.env("ENVOY_BIN", options.envoy.ensure(project)?);
                cargo.env("CHROMIUM_BIN", screenshots::chromium(project)?);
            }
            Self::Cluster => {
                kubernetes(cargo)?;
                cargo
                    .env("ETCD_BIN", setup::ensure(project, "etcd")?)
                    .env("KUBECTL_BIN", setup::ensure(project, "kubectl")?);
            }
            Self::Containers => {
                containers::build(project, &options.envoy)?;
                cargo.env("ENVOY_IMAGE", env::var_os("ENVOY_IMAGE").unwrap_or_else(|| containers::ENVOY.into()));
            }
        }
        Ok(())
    }
}

/// Puts Node.js on the tests' PATH.
fn node(project: &Project, cargo: &mut Command) -> Result<()> {
    let node = setup::ensure(project, "node")?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = node.parent().filter(|folder| folder.is_absolute()).map(Path::to_owned);
    let folders = folders.into_iter().chain(env::split_paths(&path));
    cargo.env("PATH", env::join_paths(folders)?);
    Ok(())
}

/// The test programs of the crates.
fn of_crates(project: &Project) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(project.root().join("crates"))? {
        let tests = entry?.path().join("tests");
        if tests.is_dir() {
            names.extend(programs(&tests)?);
        }
    }
    Ok(names)
}

/// The test programs of a package: each is a file, or a folder with a `main.rs`.
fn programs(tests: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(tests)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file() {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(names)
}

/// The suites run in another folder: every path of the lists becomes absolute.
fn kubernetes(cargo: &mut Command) -> Result<()> {
    let mut named = Vec::new();
    for name in CLUSTER {
        let Some(paths) = env::var_os(name).filter(|paths| !paths.is_empty()) else { continue };
        let mut absolute = Vec::new();
        for path in env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()) {
            path.metadata().with_context(|| format!("{name}: {}", path.display()))?;
            absolute.push(path::absolute(path)?);
        }
        cargo.env(name, env::join_paths(absolute)?);
        named.push(name);
    }
    let starts_one = named.contains(&"KUBE_APISERVER") && named.contains(&"LANES_CRDS");
    ensure!(starts_one || named.contains(&"KUBECONFIG"), NO_CLUSTER);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_belongs_to_a_tier() {
        let project = Project::locate();
        let mut listed: Vec<_> = Tier::value_variants().iter().flat_map(|tier| tier.suites()).copied().collect();
        listed.sort_unstable();
        let mut found = programs(&project.root().join("tests/tests")).unwrap();
        found.sort_unstable();

        assert_eq!(listed, found);
        let crates = of_crates(&project).unwrap();
        assert!(!crates.iter().any(|name| listed.contains(&name.as_str())), "a name of two: {crates:?}");
    }
}
