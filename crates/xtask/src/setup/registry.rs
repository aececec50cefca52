//! A real registry, and a client of others' making that reads what is in it.

use std::path::PathBuf;

use anyhow::Result;

use crate::{project::Project, setup::debian::Package};

/// The reference implementation, which Docker's registry and many others run.
pub(crate) fn docker_registry(project: &Project) -> Result<PathBuf> {
    Package { name: "docker-registry", effort: "20 MB to download" }.ensure(project)
}

/// The client.
pub(crate) fn skopeo(project: &Project) -> Result<PathBuf> {
    Package { name: "skopeo", effort: "30 MB to download" }.ensure(project)
}
