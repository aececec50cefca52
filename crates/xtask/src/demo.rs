//! `xtask demo` and `xtask up`: the published walkthroughs on real Envoys of this machine.

mod flow;
mod stage;
mod walkthroughs;

use std::{
    env,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use anyhow::{Context, Result};
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use local_mesh::{Mesh, Programs, installed_opentelemetry, walkthrough_group};
use page::{Server, world::Processes};

use crate::{
    console, dist, process,
    project::Project,
    setup::{self, envoy::EnvoyChoice, wasm_target},
};

use stage::Stage;
use walkthroughs::{WALKTHROUGHS, Walkthrough};

/// The arguments of `xtask demo` and `xtask up`.
#[derive(Args)]
pub(crate) struct Options {
    /// Which walkthrough: `demo` plays all of them if none is named, `up` starts user-segment
    #[arg(long, env = "WALKTHROUGH", value_parser = PossibleValuesParser::new(values()))]
    walkthrough: Option<String>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// Plays one walkthrough or all; true if everybody landed where the publication says.
pub(crate) fn demo(project: &Project, options: &Options) -> Result<bool> {
    let walkthroughs = chosen(options.walkthrough.as_deref());
    let programs = prepare(project, options, &walkthroughs)?;
    let mut everything = true;
    for walkthrough in walkthroughs {
        let mut stage = Stage::start(project, &programs, walkthrough)?;
        (walkthrough.play)(&mut stage)?;
        everything &= stage.conclude();
    }
    console::say("\nEverything that was started has been stopped. `make up` keeps it running.");
    Ok(everything)
}

/// Starts the mesh of a walkthrough and keeps it running until it is interrupted.
pub(crate) fn up(project: &Project, options: &Options) -> Result<()> {
    let walkthroughs = chosen(Some(options.walkthrough.as_deref().unwrap_or("user-segment")));
    let walkthrough = walkthroughs.first().context("no such walkthrough")?;
    let stage = Stage::start(project, &prepare(project, options, &walkthroughs)?, walkthrough)?;
    let to_try = stage.to_try(walkthrough)?;
    let page = page(project, walkthrough.name, stage.into_mesh())?;
    console::say(&format!("\nThe page is at {}\n\n{to_try}\n\nCtrl-C stops everything.", page.url()));
    process::wait_for_interrupt();
    drop(page);
    console::say("\nEverything has been stopped.");
    Ok(())
}

/// Where everybody looks for it, else where there is room.
fn page(project: &Project, walkthrough: &str, mesh: Mesh) -> Result<Server> {
    let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, page::PORT)).is_ok();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, if is_free { page::PORT } else { 0 }));
    Server::start(Processes::new(mesh)?, walkthrough_group(project.root(), walkthrough)?, address)
}

fn values() -> impl Iterator<Item = PossibleValue> {
    WALKTHROUGHS.iter().map(|walkthrough| PossibleValue::new(walkthrough.name).help(walkthrough.about))
}

fn chosen(name: Option<&str>) -> Vec<&'static Walkthrough> {
    WALKTHROUGHS.iter().filter(|walkthrough| name.is_none_or(|name| name == walkthrough.name)).collect()
}

/// Fetches and builds what the walkthroughs need.
fn prepare(project: &Project, options: &Options, walkthroughs: &[&Walkthrough]) -> Result<Programs> {
    console::heading("Preparing");
    if walkthroughs.iter().any(|walkthrough| walkthrough.name == "permissive-baggage") {
        setup::ensure(project, "opentelemetry")?;
    }
    programs(project, &options.envoy)
}

/// What a pod is made of, built anew.
pub(crate) fn programs(project: &Project, envoy: &EnvoyChoice) -> Result<Programs> {
    wasm_target::ensure(project)?;
    let envoy = envoy.ensure(project)?;
    dist::build(project)?;
    process::run(&mut project.cargo(["build", "--bin", "mock-service", "--locked"]))?;
    Ok(Programs {
        envoy,
        modules: project.dist(),
        mock_service: env::current_exe()?.with_file_name("mock-service"),
        python: project.root().join("sample/opentelemetry/application.py"),
        opentelemetry: installed_opentelemetry(project.root()),
    })
}
