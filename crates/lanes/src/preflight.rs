//! What in a cluster would break a lane group, before the group is applied.
//!
//! Every rule is Istio's own, read from its sources: which DestinationRule a caller gets, which VirtualService comes first, what a
//! port's name means. A finding says what would happen to which requests, not only what is unusual.

mod anchor;
mod asked;
mod cluster;
mod destination_rules;
mod filters;
mod finding;
mod gateway;
pub(crate) mod host;
mod injection;
mod lane_services;
mod mesh;
mod names;
mod not_looked_at;
mod ownership;
mod pods;
pub(crate) mod ports;
mod routes;
mod service_pods;
mod services;
mod sidecars;
mod versions;
mod virtual_services;

use crate::document::LaneGroup;

pub use anchor::{Anchor, Section};
pub use cluster::{Cluster, Gap, KINDS, Kinds};
pub(crate) use cluster::{Gateway, Server, Service, ServicePort};
pub use finding::{Finding, Object};

use asked::{Asked, AskedService};
use mesh::Mesh;
use service_pods::ServicePods;

/// Everything that the checks look at.
struct Preflight<'a> {
    asked: &'a Asked<'a>,
    cluster: &'a Cluster,
    mesh: &'a Mesh<'a>,
    /// The services that are there, with their pods.
    services: &'a [ServicePods<'a>],
    findings: Vec<Finding>,
}

/// Looks for everything in the cluster that would break the lane group.
///
/// # Errors
/// The lane group cannot be rendered, or the mesh's configuration is no YAML.
pub fn preflight(group: &LaneGroup, cluster: &Cluster) -> anyhow::Result<Vec<Finding>> {
    let asked = Asked::of(group)?;
    let mesh = Mesh::of(&asked, cluster)?;
    let services = service_pods::find(&asked, cluster);
    let mut preflight = Preflight { asked: &asked, cluster, mesh: &mesh, services: &services, findings: Vec::new() };
    preflight.gateway();
    preflight.services();
    preflight.pods();
    preflight.injection();
    preflight.destination_rules();
    preflight.virtual_services();
    preflight.routes();
    preflight.sidecars();
    preflight.filters();
    preflight.names();
    preflight.mesh();
    preflight.versions();
    preflight.not_looked_at();
    let mut findings = preflight.findings;
    findings.sort_by_key(|finding| (finding.section, finding.severity));
    Ok(findings)
}

impl Preflight<'_> {
    fn find(
        &mut self,
        anchor: Anchor,
        object: impl Into<Object>,
        happens: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.findings.push(Finding::new(anchor, object, happens, remedy));
    }

    /// Whether any lane of a service falls back: with declared membership, one that only the baseline holds does not.
    fn falls_back(&self, service: &AskedService) -> bool {
        self.asked.falls_back && service.places.len() > 1
    }
}
