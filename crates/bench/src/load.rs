//! Asking proxies with wrk: one process for each target, all at the same time, on the core of the generator.

use std::{
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::bench::Bench;

/// Whether somebody wants an end: wrk takes Ctrl-C as the end of its time, and what it says then is no figure.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Where a value has `{number}`, the number of the request appears.
pub(crate) type Headers = &'static [(&'static str, &'static str)];

/// Somebody to be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'static str,
    pub(crate) headers: Headers,
    /// How many numbers there are; after the last comes the first.
    pub(crate) numbers: u32,
    pub(crate) connections: u32,
    /// Milliseconds that a connection waits on average between an answer and its next request; 0 for a closed loop.
    pub(crate) pause: f64,
}

/// What wrk says of a target, as `modules/load.lua` writes it; times in microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Answered {
    pub(crate) requests: u32,
    errors: u32,
    pub(crate) duration: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Asks all targets at the same time.
///
/// # Errors
///
/// A connection ended, something was answered that is not 200, or nothing was answered.
pub(crate) fn ask(bench: &Bench, targets: &[Target], seconds: u64) -> Result<Vec<Answered>> {
    let running = targets.iter().map(|target| start(bench, target, seconds)).collect::<Result<Vec<_>>>()?;
    // All of them before any error: none is to disturb whatever comes next.
    let outputs: Vec<_> = running.into_iter().map(Child::wait_with_output).collect();
    ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
    outputs.into_iter().map(|output| answered(&output?)).collect()
}

fn start(bench: &Bench, target: &Target, seconds: u64) -> Result<Child> {
    let Target { address, path, headers, numbers, connections, pause } = target;
    let mut wrk = Command::new(&bench.programs.wrk);
    wrk.args(["-t", "1", "-c", &connections.to_string(), "-d", &seconds.to_string(), "--timeout", "10"]);
    wrk.arg("-s").arg(bench.module("load.lua"));
    for (name, value) in *headers {
        wrk.arg("-H").arg(format!("{name}: {value}"));
    }
    wrk.arg(format!("http://{address}{path}")).args(["--", &numbers.to_string(), &pause.to_string()]);
    wrk.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    wrk.spawn().with_context(|| wrk.get_program().display().to_string())
}

fn answered(output: &Output) -> Result<Answered> {
    let text = String::from_utf8_lossy(&output.stdout);
    let answered: Answered = serde_json::from_str(text.lines().next_back().unwrap_or_default())
        .with_context(|| format!("wrk says {text:?} {:?}", String::from_utf8_lossy(&output.stderr)))?;
    ensure!(answered.errors == 0, "{} of {} requests failed", answered.errors, answered.requests);
    ensure!(answered.requests > 0, "nothing was answered, so something else has the machine");
    Ok(answered)
}
