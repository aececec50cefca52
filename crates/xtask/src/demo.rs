//! `xtask demo` and `xtask up`: the published walkthroughs on real Envoys of this machine.

mod flow;
mod permissive_baggage;
mod table;
mod user_segment;

use std::{
    env,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use local_mesh::{Client, Mesh, MeshOptions, Network, installed_opentelemetry};

use crate::{
    console, dist, process,
    project::Project,
    setup::{
        envoy::EnvoyChoice,
        opentelemetry,
        wasm_targets::{self, WASIP1},
    },
};

/// Set when somebody wants an end: between two requests is soon enough.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The arguments of `xtask demo` and `xtask up`.
#[derive(Args)]
pub(crate) struct Options {
    /// Which walkthrough: `demo` plays all of them if none is named, `up` starts user-segment
    #[arg(long, env = "WALKTHROUGH")]
    walkthrough: Option<Walkthrough>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// A directory below `envoy/`.
#[derive(Clone, Copy, ValueEnum)]
enum Walkthrough {
    /// 20 % of the users, always the same ones, are in the canary
    UserSegment,
    /// 40:30:30 by weight, and OpenTelemetry's baggage carries the lane through the applications
    PermissiveBaggage,
}

/// Plays one walkthrough or all; true if everybody landed where the publication says.
pub(crate) fn demo(project: &Project, options: &Options) -> Result<bool> {
    let walkthroughs = match &options.walkthrough {
        Some(walkthrough) => std::slice::from_ref(walkthrough),
        None => Walkthrough::value_variants(),
    };
    let programs = Programs::prepare(project, options, walkthroughs)?;
    let mut everything_as_published = true;
    for walkthrough in walkthroughs {
        let mut mesh = programs.start(project, *walkthrough)?;
        everything_as_published &= match walkthrough {
            Walkthrough::UserSegment => user_segment::play(project, &mut mesh)?,
            Walkthrough::PermissiveBaggage => permissive_baggage::play(&mesh)?,
        };
    }
    console::say("\nEverything that was started has been stopped. `make up` keeps it running.");
    Ok(everything_as_published)
}

/// Starts the mesh of a walkthrough and keeps it running until it is interrupted.
pub(crate) fn up(project: &Project, options: &Options) -> Result<()> {
    let walkthrough = options.walkthrough.unwrap_or(Walkthrough::UserSegment);
    let mesh = Programs::prepare(project, options, &[walkthrough])?.start(project, walkthrough)?;
    let gateway = mesh.gateway_url()?;
    let to_try = match walkthrough {
        Walkthrough::UserSegment => user_segment::to_try(&mesh, &gateway),
        Walkthrough::PermissiveBaggage => permissive_baggage::to_try(&gateway),
    };
    console::say(&format!("\nThe gateway listens on {gateway}. {to_try}\n\nCtrl-C stops everything."));
    while !is_interrupted() {
        thread::sleep(Duration::from_millis(100));
    }
    drop(mesh);
    console::say("\nEverything has been stopped.");
    Ok(())
}

/// What one request reaches; a failure is shown in place of the chain.
fn chain(client: &Client, headers: &[(&str, &str)]) -> Result<String> {
    let answer = client.send("GET", headers)?;
    Ok(answer.chain().map_or_else(|error| error.to_string(), |chain| chain.to_string()))
}

/// An error as soon as somebody wants an end, so that whoever holds a mesh drops it.
fn go_on() -> Result<()> {
    ensure!(!is_interrupted(), "interrupted");
    Ok(())
}

fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// What a mesh runs.
struct Programs {
    envoy: PathBuf,
    mock_service: PathBuf,
}

impl Programs {
    /// Fetches and builds what the walkthroughs need.
    fn prepare(project: &Project, options: &Options, walkthroughs: &[Walkthrough]) -> Result<Self> {
        ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)).context("failed to listen for Ctrl-C")?;
        console::heading("Preparing");
        wasm_targets::ensure(project, &[WASIP1])?;
        let envoy = options.envoy.ensure(project)?;
        if walkthroughs.iter().any(|walkthrough| matches!(walkthrough, Walkthrough::PermissiveBaggage)) {
            opentelemetry::ensure(project)?;
        }
        dist::build(project)?;
        process::run(&mut project.cargo(["build", "--package", "mock-service", "--locked"]))?;
        Ok(Self { envoy, mock_service: env::current_exe()?.with_file_name("mock-service") })
    }

    fn start(&self, project: &Project, walkthrough: Walkthrough) -> Result<Mesh> {
        let (name, what) = match walkthrough {
            Walkthrough::UserSegment => ("user-segment", "four pods, each with an application and an Envoy"),
            Walkthrough::PermissiveBaggage => {
                ("permissive-baggage", "seven pods, each with a Python application under OpenTelemetry and an Envoy")
            }
        };
        console::heading(&format!("{name}: starting a gateway and {what}"));
        let mesh = Mesh::start(MeshOptions {
            repo_root: project.root().to_owned(),
            walkthrough: name.to_owned(),
            envoy: self.envoy.clone(),
            mock_service: self.mock_service.clone(),
            opentelemetry: installed_opentelemetry(project.root()),
            modules: project.dist(),
            network: Network::Default,
        })?;
        go_on()?;
        Ok(mesh)
    }
}
