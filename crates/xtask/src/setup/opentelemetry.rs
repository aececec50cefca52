//! OpenTelemetry's auto-instrumentation for Python, and what the Python application is made of.

use std::path::PathBuf;

use anyhow::Result;
use local_mesh::installed_opentelemetry;

use crate::{
    project::Project,
    setup::{install, pip::Wheel},
};

const VERSION: &str = "0.66b1";

/// The folder of the packages, which is reachable as `.tools/opentelemetry`.
pub(crate) fn ensure(project: &Project) -> Result<PathBuf> {
    let wheel = Wheel {
        name: "opentelemetry",
        package: "opentelemetry-distro",
        version: VERSION,
        program: "bin/opentelemetry-instrument",
        check: &["--version"],
        effort: "2 MB to download",
        otherwise: "leave out the walkthrough permissive-baggage",
    };
    wheel.ensure(project)?;
    install::link(&project.tools(), "opentelemetry", &format!("opentelemetry-{VERSION}"))?;
    Ok(installed_opentelemetry(project.root()))
}
