//! A lane group as configurations of plain Envoys: one for the gateway and one for the sidecar of every pod.
//!
//! The mechanism is the one that runs on Istio, under the same names: a cluster for the pods of each lane, and for a
//! permissive lane an aggregate over its own pods and the baseline's. In Istio's place, files that Envoy watches hold what
//! changes at run time (xDS from the file system), and health checks find out which pods there are.

mod bootstrap;
mod clusters;
mod extension;
mod file;
mod listener;
mod placement;
mod routes;

use std::path::PathBuf;

use anyhow::Context;

use crate::{document::LaneGroup, render::filter, tagging};

pub use bootstrap::OUTBOUND_PORT;
pub use file::File;
pub use placement::{Placement, Pod};

/// How a lane group is rendered, beyond what it says itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the pods are.
    pub placement: Placement,
    /// The folder of the modules, as seen from the configuration's.
    pub modules: PathBuf,
    /// The port that an application listens on behind its sidecar.
    pub application_port: u16,
    /// What a healthy application answers with 200.
    pub health_path: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            placement: Placement::Loopback,
            modules: PathBuf::from("."),
            application_port: 8080,
            health_path: "/healthz".to_owned(),
        }
    }
}

/// The files of a lane group. Envoy must run in their folder: they name each other.
///
/// # Errors
/// The lane group, though valid, cannot be had as the options say.
pub fn render(group: &LaneGroup, options: &Options) -> anyhow::Result<Vec<File>> {
    let pods = options.placement.pods(group)?;
    if let Some(service) = group.spec.services.iter().find(|service| service.port == options.application_port) {
        anyhow::bail!(
            "the sidecar of {} listens on port {}: let the application listen on another (--application-port)",
            service.name,
            service.port
        );
    }
    let tagging = tagging::plugin_config(&group.spec).map(|config| (crate::render::Module::HashTagging, config));
    let propagation = filter::in_sidecars(&group.spec);

    let mut files = vec![bootstrap::gateway(group, options, tagging.as_ref())?];
    for pod in &pods {
        let file = bootstrap::sidecar(group, pod, options, propagation.as_ref());
        files.push(file.with_context(|| format!("failed to write the sidecar of {}", pod.name))?);
    }
    files.push(clusters::file(group, &pods, options)?);
    files.push(routes::of_gateway(group)?);
    files.extend(routes::of_sidecars(group)?);
    for (module, config) in tagging.iter().chain(&propagation) {
        files.push(extension::file(*module, config, options)?);
    }
    Ok(files)
}
