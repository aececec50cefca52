//! A walkthrough of `envoy/` on real Envoys, as it is or with changed files, and where its lanes lead.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use local_mesh::{Client, Envoy, Mesh, MeshOptions, Network, Programs, installed_opentelemetry};
use tempfile::TempDir;

use crate::{dist, mock_service, repository};

/// How a request gets into a lane, and which versions it must reach.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    /// The lane's name.
    pub name: &'static str,
    /// What the client sends.
    pub header: (&'static str, &'static str),
    /// The version of each service, in the order of the call chain.
    pub chain: &'static str,
}

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

/// The lanes of a walkthrough, the baseline first.
#[must_use]
pub fn lanes(walkthrough: &str) -> Vec<Lane> {
    const TAG: &str = "x-asm-prefer-tag";
    let lanes = match walkthrough {
        "permissive" => [("s1", TAG, "s1", "v1,v1,v1"), ("s2", TAG, "s2", "v2,v1,v2"), ("s3", TAG, "s3", "v1,v3,v1")],
        "permissive-baggage" => [
            ("v1", "version", "v1", "v1,v1,v1"),
            ("v2", "version", "v2", "v2,v1,v2"),
            ("v3", "version", "v3", "v3,v3,v1"),
        ],
        "strict" => [("s1", TAG, "s1", "v1,v1,v1"), ("s2", TAG, "s2", "v2,v2,v2"), ("s3", TAG, "s3", "v3,v3,v3")],
        "strict-source-labels" => {
            [("v1", TAG, "v1", "v1,v1,v1"), ("v2", TAG, "v2", "v2,v2,v2"), ("v3", TAG, "v3", "v3,v3,v3")]
        }
        _ => {
            const USER: &str = "x-user-id";
            // Bob's bucket, 44, is none of the canary's; jessie's is, 16; jason has a route of his own.
            [("s1", USER, "bob", "v1,v1,v1"), ("s2", USER, "jessie", "v1,v1,v2"), ("s2", USER, "jason", "v1,v1,v2")]
        }
    };
    lanes.map(|(name, header, value, chain)| Lane { name, header: (header, value), chain }).to_vec()
}

/// What the gateway answers to a GET: the chain, or the failure.
///
/// # Errors
/// It does not answer.
pub fn ask(client: &Client, headers: &[(&str, &str)]) -> Result<String> {
    Ok(client.send("GET", headers)?.outcome())
}
