use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use local_mesh::wait_until;

use super::{Cluster, done};

const DEFINITION: &str = "customresourcedefinition.apiextensions.k8s.io/";
const LIMIT: Duration = Duration::from_secs(60);

/// The files of a list as in `PATH`; of a folder, those in YAML.
pub(super) fn files(paths: &OsStr) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in env::split_paths(paths) {
        if path.is_dir() {
            let entries = fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
            files.extend(entries.into_iter().filter(|path| path.extension().is_some_and(|of| of == "yaml")));
        } else {
            ensure!(path.is_file(), "there is no {}", path.display());
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Gives an API its kinds, and returns when it serves all of them.
pub(super) fn create(cluster: &Cluster, files: &[PathBuf]) -> Result<()> {
    let flags = files.iter().map(|file| flag(file)).collect::<Result<Vec<_>>>()?;
    // Not applied: what that remembers of a resource, the largest definitions are too large for.
    let create: Vec<&str> = ["create", "--output=name"].into_iter().chain(flags.iter().map(String::as_str)).collect();
    let created = done(&cluster.kubectl(&create)?)
        .with_context(|| format!("{files:?}: definitions of one version of Istio and of Gateway API are expected"))?;
    // Gateway API brings an admission policy as well.
    let kinds: Vec<&str> = created.lines().filter_map(|line| line.strip_prefix(DEFINITION)).collect();
    ensure!(!kinds.is_empty(), "{files:?} define nothing");
    wait_until("every kind that LANES_CRDS define is served", LIMIT, || {
        let served = done(&cluster.kubectl(&["api-resources", "--output=name"])?)?;
        let is_served = |kind: &&str| served.lines().any(|name| name == *kind);
        Ok(kinds.iter().all(is_served).then_some(()))
    })
}

fn flag(file: &Path) -> Result<String> {
    Ok(format!("--filename={}", file.to_str().with_context(|| format!("{}: no UTF-8", file.display()))?))
}
