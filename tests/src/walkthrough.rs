//! A walkthrough of `envoy/` on real Envoys, as it is or with changed files, and clients who watch it.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::{Result, anyhow, ensure};
use local_mesh::{Client, Envoy, Mesh, MeshOptions, Network, installed_opentelemetry};
use tempfile::TempDir;

use crate::{dist, mock_service, repository};

const CLIENTS: usize = 4;

/// What clients saw: how often each chain, or each failure.
pub type Seen = BTreeMap<String, usize>;

/// Starts the walkthrough `name` of the repository.
pub fn start(name: &str) -> Result<Mesh> {
    start_from(repository(), name)
}

/// Starts the walkthrough `name` with its files changed by `change`, which must change something.
pub fn start_changed(name: &str, change: impl Fn(&str) -> String) -> Result<Mesh> {
    let root = changed(name, change)?;
    start_from(root.path(), name)
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

fn start_from(repo_root: &Path, name: &str) -> Result<Mesh> {
    Mesh::start(MeshOptions {
        repo_root: repo_root.to_owned(),
        walkthrough: name.to_owned(),
        envoy: Envoy::binary(repository())?,
        mock_service: mock_service()?,
        opentelemetry: installed_opentelemetry(repository()),
        modules: dist(),
        network: Network::Free,
    })
}

/// A directory that has changed copies of the files in the place where a repository has them.
fn changed(name: &str, change: impl Fn(&str) -> String) -> Result<TempDir> {
    let root = tempfile::tempdir()?;
    let (from, to) = (repository().join("envoy").join(name), root.path().join("envoy").join(name));
    fs::create_dir_all(&to)?;
    let mut changes = 0;
    for file in fs::read_dir(from)? {
        let file = file?;
        let text = fs::read_to_string(file.path())?;
        let changed = change(&text);
        changes += usize::from(changed != text);
        fs::write(to.join(file.file_name()), changed)?;
    }
    ensure!(changes > 0, "no file of {name} has what was to be changed");
    Ok(root)
}

/// Ends the flows also when something panics, so that the test fails instead of hanging.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
