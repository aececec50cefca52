//! A walkthrough of `envoy/` on real Envoys, as it is or with changed files, and clients who watch it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::{Result, anyhow, ensure};
use local_mesh::{Client, Envoy, Mesh, MeshOptions, Network, Programs, installed_opentelemetry};
use tempfile::TempDir;

use crate::{dist, mock_service, repository};

const CLIENTS: usize = 4;

/// What clients saw: how often each chain, or each failure.
pub type Seen = BTreeMap<String, usize>;

/// Starts the walkthrough `name` of the repository.
pub fn start(name: &str) -> Result<Mesh> {
    Mesh::start(options(name)?)
}

/// Starts the walkthrough `name` with its files changed by `change`, which must change something.
pub fn start_changed(name: &str, change: impl Fn(&str) -> String) -> Result<Mesh> {
    let mut options = options(name)?;
    let changed = changed(&options.configuration, change)?;
    options.configuration = changed.path().to_owned();
    Mesh::start(options)
}

/// The walkthrough `name`, to be started.
pub fn options(name: &str) -> Result<MeshOptions> {
    let programs = Programs {
        envoy: Envoy::binary(repository())?,
        modules: dist(),
        mock_service: mock_service()?,
        python: repository().join("sample/opentelemetry/application.py"),
        opentelemetry: installed_opentelemetry(repository()),
    };
    MeshOptions::walkthrough(repository(), name, programs, Network::Free)
}

/// A copy of the files of `from`, changed.
pub fn changed(from: &Path, change: impl Fn(&str) -> String) -> Result<TempDir> {
    let to = tempfile::tempdir()?;
    let mut changes = 0;
    for file in fs::read_dir(from)? {
        let file = file?;
        let text = fs::read_to_string(file.path())?;
        let changed = change(&text);
        changes += usize::from(changed != text);
        fs::write(to.path().join(file.file_name()), changed)?;
    }
    ensure!(changes > 0, "no file of {} has what was to be changed", from.display());
    Ok(to)
}

/// Runs `happening` while four clients send requests without a break.
///
/// # Errors
///
/// A request got no answer at all. A failure that was answered is among what was seen.
pub fn while_requests_flow(
    mesh: &mut Mesh,
    method: &str,
    headers: &[(&str, &str)],
    happening: impl FnOnce(&mut Mesh),
) -> Result<Seen> {
    let client = Client::new(mesh.gateway_url()?);
    let stop = AtomicBool::new(false);
    let flow = || {
        let mut seen = Seen::new();
        while !stop.load(Ordering::Relaxed) {
            let answer = client.send(method, headers)?;
            let kind = answer.chain().map_or_else(|error| error.to_string(), |chain| chain.to_string());
            *seen.entry(kind).or_default() += 1;
        }
        anyhow::Ok(seen)
    };
    thread::scope(|scope| {
        let flows: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(flow)).collect();
        let stop_flows = StopOnDrop(&stop);
        happening(mesh);
        drop(stop_flows);
        let mut all = Seen::new();
        for flow in flows {
            for (kind, count) in flow.join().map_err(|_| anyhow!("a client panicked"))?? {
                *all.entry(kind).or_default() += count;
            }
        }
        Ok(all)
    })
}

/// Ends the flows also when something panics, so that the test fails instead of hanging.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
