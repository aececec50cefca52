//! The page of the containers of `envoy/compose.yaml`: one of them, beside those that it shows.

use std::{env, fs, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use page::{Server, world::Containers};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `LISTEN`: where the page is; `GROUP`: the lane group; `CONFIGURATION`: the folder that the Envoys watch; `GATEWAY`: its address;
/// `CONTROL_PORT`: where each pod is killed, and started again.
fn serve() -> Result<()> {
    let file = variable("GROUP")?;
    let text = fs::read_to_string(&file).with_context(|| file.clone())?;
    let group = lanes::file::read(&file, &text).groups.pop();
    let group = group.with_context(|| format!("{file} holds no valid lane group: `lanes check` says why"))?;
    let port = variable("CONTROL_PORT")?.parse().context("CONTROL_PORT")?;
    let world = Containers::new(&group, variable("GATEWAY")?, PathBuf::from(variable("CONFIGURATION")?), port)?;
    let address: SocketAddr = variable("LISTEN")?.parse().context("LISTEN")?;
    let server = Server::start(world, group, address)?;
    println!("listening on {}", server.url());
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}
