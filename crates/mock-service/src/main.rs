//! The sample application of the walkthroughs: mocka, mockb and mockc are this one binary.
//!
//! It names itself and appends what its upstream answers, so that a chain of three prints
//! `-> mocka(version: v1, ip: 127.0.1.11)-> mockb(version: v1, ip: 127.0.2.11)-> mockc(version: v2, ip: 127.0.3.12)`.
//! A request with the header `x-echo-headers` is answered with the same as JSON, and with the headers that each service got; see
//! [`echo`]. The environment configures it; see [`config::Config`].

mod condition;
mod config;
mod echo;
mod service;
mod supervise;

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::config::Config;

const BAD_ENVIRONMENT: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let lookup = |variable: &str| std::env::var_os(variable);
    let config = match config::control(lookup) {
        // What runs the application leaves its environment to it.
        Ok(Some(control)) => return ended(supervised(control).await),
        Ok(None) => Config::from_environment(lookup),
        Err(error) => Err(error),
    };
    match config {
        Ok(config) => ended(serve(config).await),
        Err(error) => {
            eprintln!("failed to read the environment: {error}");
            ExitCode::from(BAD_ENVIRONMENT)
        }
    }
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to serve: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn supervised(control: SocketAddr) -> anyhow::Result<()> {
    supervise::run(control, stop()?).await
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let stop = stop()?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| format!("LISTEN {}", config.listen))?;
    // Whoever started this process waits for the line, and learns the port if LISTEN left it to the system.
    println!("listening on {}", listener.local_addr()?);
    service::run(listener, config, stop).await
}

fn stop() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
