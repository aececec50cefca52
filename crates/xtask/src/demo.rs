//! `xtask demo` and `xtask up`: the published walkthroughs on real Envoys of this machine.

mod chains;
mod flow;
mod permissive_baggage;
mod table;
mod user_segment;

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use local_mesh::{Client, Mesh, MeshOptions, Network, Programs, installed_opentelemetry};

use chains::Chains;

use crate::{
    console, dist, process,
    project::Project,
    setup::{envoy::EnvoyChoice, opentelemetry, wasm_target},
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

/// A lane group below `manifests/`.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Walkthrough {
    /// 20 % of the users, always the same ones, are in the canary
    UserSegment,
    /// 40:30:30 by weight, and OpenTelemetry's baggage carries the lane through the applications
    PermissiveBaggage,
    /// Three whole lanes; one that lacks a service answers 503
    Strict,
    /// Three whole lanes by the label of the calling pod, shifted to v1 while a version is unavailable
    StrictSourceLabels,
    /// Lanes that hold only what differs; services join and leave them
    Permissive,
}

/// Plays one walkthrough or all; true if everybody landed where the publication says.
pub(crate) fn demo(project: &Project, options: &Options) -> Result<bool> {
    let walkthroughs = match &options.walkthrough {
        Some(walkthrough) => std::slice::from_ref(walkthrough),
        None => Walkthrough::value_variants(),
    };
    let programs = prepare(project, options, walkthroughs)?;
    let mut everything_as_published = true;
    for walkthrough in walkthroughs {
        let mut mesh = start(project, &programs, *walkthrough)?;
        everything_as_published &= match walkthrough {
            Walkthrough::UserSegment => user_segment::play(project, &mut mesh)?,
            Walkthrough::PermissiveBaggage => permissive_baggage::play(&mesh)?,
            _ => chains::play(&mut mesh, walkthrough.chains())?,
        };
    }
    console::say("\nEverything that was started has been stopped. `make up` keeps it running.");
    Ok(everything_as_published)
}

/// Starts the mesh of a walkthrough and keeps it running until it is interrupted.
pub(crate) fn up(project: &Project, options: &Options) -> Result<()> {
    let walkthrough = options.walkthrough.unwrap_or(Walkthrough::UserSegment);
    let programs = prepare(project, options, &[walkthrough])?;
    let mesh = start(project, &programs, walkthrough)?;
    let gateway = mesh.gateway_url()?;
    let to_try = match walkthrough {
        Walkthrough::UserSegment => user_segment::to_try(&mesh, &gateway),
        Walkthrough::PermissiveBaggage => permissive_baggage::to_try(&gateway),
        _ => chains::to_try(&gateway, walkthrough.chains()),
    };
    console::say(&format!("\nThe gateway listens on {gateway}. {to_try}\n\nCtrl-C stops everything."));
    while !is_interrupted() {
        thread::park();
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

/// Fetches and builds what the walkthroughs need.
fn prepare(project: &Project, options: &Options, walkthroughs: &[Walkthrough]) -> Result<Programs> {
    let waiting = thread::current();
    let interrupt = move || {
        INTERRUPTED.store(true, Ordering::Relaxed);
        waiting.unpark();
    };
    ctrlc::set_handler(interrupt).context("failed to listen for Ctrl-C")?;
    console::heading("Preparing");
    wasm_target::ensure(project)?;
    let envoy = options.envoy.ensure(project)?;
    if walkthroughs.contains(&Walkthrough::PermissiveBaggage) {
        opentelemetry::ensure(project)?;
    }
    dist::build(project)?;
    process::run(&mut project.cargo(["build", "--package", "mock-service", "--locked"]))?;
    Ok(Programs {
        envoy,
        modules: project.dist(),
        mock_service: env::current_exe()?.with_file_name("mock-service"),
        python: project.root().join("sample/opentelemetry/application.py"),
        opentelemetry: installed_opentelemetry(project.root()),
    })
}

fn start(project: &Project, programs: &Programs, walkthrough: Walkthrough) -> Result<Mesh> {
    let (name, what) = walkthrough.topology();
    console::heading(&format!("{name}: starting a gateway and {what}"));
    let options = MeshOptions::walkthrough(project.root(), name, programs.clone(), Network::Default)?;
    let mesh = Mesh::start(options)?;
    go_on()?;
    Ok(mesh)
}

impl Walkthrough {
    /// The name of the lane group, and its pods.
    fn topology(self) -> (&'static str, &'static str) {
        match self {
            Self::UserSegment => ("user-segment", "four pods, each with an application and an Envoy"),
            Self::PermissiveBaggage => {
                ("permissive-baggage", "seven pods, each with a Python application under OpenTelemetry and an Envoy")
            }
            Self::Strict => ("strict", "nine pods, three in each lane"),
            Self::StrictSourceLabels => ("strict-source-labels", "nine pods, three in each lane"),
            Self::Permissive => ("permissive", "six pods: the baseline's three, and what is different in two lanes"),
        }
    }

    /// What is to be seen, if the client names the lane.
    fn chains(self) -> &'static Chains {
        match self {
            Self::Strict => &chains::STRICT,
            Self::StrictSourceLabels => &chains::STRICT_SOURCE_LABELS,
            Self::Permissive | Self::UserSegment | Self::PermissiveBaggage => &chains::PERMISSIVE,
        }
    }
}
