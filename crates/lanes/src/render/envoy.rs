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

use anyhow::{Context, bail};

use crate::{
    document::{LaneGroup, Service},
    render::filter::{self, Filter},
};

pub use bootstrap::{OUTBOUND_PORT, STATS_PORT};
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
    limits(group, &pods, options)?;
    let at_gateway: Vec<Filter> =
        filter::baggage_strip(&group.spec).into_iter().chain(filter::tagging(&group.spec)).collect();
    let in_sidecars: Vec<Filter> = filter::in_sidecars(&group.spec).into_iter().collect();

    let mut files = Vec::new();
    files.extend(bootstrap::gateway(group, options, &at_gateway)?);
    for pod in &pods {
        let file = bootstrap::sidecar(group, pod, options, &in_sidecars);
        files.push(file.with_context(|| format!("failed to write the sidecar of {}", pod.name))?);
    }
    files.push(clusters::file(group, &pods, options)?);
    files.extend(routes::of_gateway(group)?);
    files.extend(routes::of_sidecars(group)?);
    for filter in at_gateway.iter().chain(&in_sidecars) {
        files.push(extension::file(filter, options)?);
    }
    Ok(files)
}

/// What plain Envoys are not rendered for.
fn limits(group: &LaneGroup, pods: &[Pod], options: &Options) -> anyhow::Result<()> {
    if let Some(pod) = pods.iter().find(|pod| pod.port.number == options.application_port) {
        bail!(
            "the sidecar of {} listens on port {}: let the application listen on another (--application-port)",
            pod.service.name,
            pod.port.number
        );
    }
    let has_several = |service: &&Service| service.ports().len() > 1;
    if let Some(service) = group.spec.services.iter().find(has_several) {
        bail!("{}: a plain Envoy is rendered for one port of a service: Istio has the others", service.name);
    }
    let names = |name: &str| group.spec.services.iter().filter(|service| service.name == name).count();
    if let Some(service) = group.spec.services.iter().find(|service| names(&service.name) > 1) {
        bail!("{}: two services have the name, and without namespaces their pods would too", service.name);
    }
    for (index, route) in group.spec.routes.iter().enumerate() {
        if route.cors.is_some() || route.mirror.is_some() {
            bail!("spec.routes[{index}]: `cors` and `mirror` are rendered for Istio only");
        }
    }
    if group.spec.users().iter().flat_map(|users| &users.identity).any(|identity| identity.claim.is_some()) {
        bail!(
            "spec.assign.users.identity: a lane group does not say whose tokens a gateway verifies: `claim` is rendered for \
             Istio only, where a RequestAuthentication does"
        );
    }
    if let Some(gateway) = &group.spec.gateway
        && (gateway.ports().len() > 1 || gateway.ports().iter().any(|port| port.credential_name.is_some()))
    {
        bail!("spec.gateway.ports: a plain Envoy is rendered as a gateway with one port, of HTTP");
    }
    Ok(())
}
