//! `xtask demo` and `xtask up`: the published walkthrough on real Envoys of this machine.

mod flow;
mod play;
mod published;
mod table;

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use local_mesh::{Mesh, MeshOptions, Network};

use crate::{
    console, dist, process,
    project::Project,
    setup::{
        envoy::EnvoyChoice,
        wasm_targets::{self, WASIP1},
    },
};

/// The directory below `envoy/`.
const WALKTHROUGH: &str = "user-segment";

/// Set when somebody wants an end: between two requests is soon enough.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The arguments of `xtask demo` and `xtask up`.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// Plays the walkthrough; true if everybody landed where the publication says.
pub(crate) fn demo(project: &Project, options: &Options) -> Result<bool> {
    let mut mesh = start(project, options)?;
    let everything_as_published = play::play(project, &mut mesh)?;
    drop(mesh);
    console::say("\nEverything that was started has been stopped. `make up` keeps it running.");
    Ok(everything_as_published)
}

/// Starts the mesh of the walkthrough and keeps it running until it is interrupted.
pub(crate) fn up(project: &Project, options: &Options) -> Result<()> {
    let mesh = start(project, options)?;
    let gateway = mesh.gateway_url()?;
    let file = mesh.directory().join("hash-tagging.yaml");
    console::say(&format!(
        "\nThe gateway listens on {gateway}. Who is in the canary?

  curl -H 'x-user-id: jessie' {gateway}/mock
  curl -H 'x-user-id: bob' {gateway}/mock

Ramp it to 50 % and ask for bob again (the gateway takes the file when it is replaced, as sed -i does):

  sed -i 's/\"range\": 20/\"range\": 50/' {file}

What the filter decided, and the gateway's own interface:

  curl -s http://127.0.0.11:9901/stats/prometheus | grep hash_tagging

Ctrl-C stops everything.",
        file = file.display()
    ));
    while !is_interrupted() {
        thread::sleep(Duration::from_millis(100));
    }
    drop(mesh);
    console::say("\nEverything has been stopped.");
    Ok(())
}

/// An error as soon as somebody wants an end, so that whoever holds a mesh drops it.
fn go_on() -> Result<()> {
    ensure!(!is_interrupted(), "interrupted");
    Ok(())
}

fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

fn start(project: &Project, options: &Options) -> Result<Mesh> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)).context("failed to listen for Ctrl-C")?;
    console::heading("Preparing");
    wasm_targets::ensure(project, &[WASIP1])?;
    let envoy = options.envoy.ensure(project)?;
    dist::build(project)?;
    process::run(&mut project.cargo(["build", "--package", "mock-service", "--locked"]))?;
    let mock_service = env::current_exe()?.with_file_name("mock-service");

    console::heading("Starting a gateway and four pods, each with an application and an Envoy");
    let mesh = Mesh::start(MeshOptions {
        repo_root: project.root().to_owned(),
        walkthrough: WALKTHROUGH.to_owned(),
        envoy,
        mock_service,
        modules: project.dist(),
        network: Network::Default,
    })?;
    go_on()?;
    Ok(mesh)
}
