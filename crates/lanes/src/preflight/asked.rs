//! What a lane group asks of a cluster.
//!
//! Where it depends on how the group is rendered, the rendering itself is asked.

mod rendered;

use super::cluster::Labels;
use crate::document::{Gateway, GatewayRef, Lane, LaneGroup, Membership, Mesh, Mode, Routing, Service, ServicePort};

pub(super) use rendered::{Rendered, holds_unready};

/// What a lane group asks of a cluster.
pub(super) struct Asked<'a> {
    pub(super) group: &'a LaneGroup,
    pub(super) services: Vec<AskedService>,
    /// Whether a lane without ready pods falls back to the baseline, at any service.
    pub(super) falls_back: bool,
    pub(super) gateway: Option<AskedGateway>,
    /// What would be applied.
    pub(super) rendered: Rendered,
}

/// A service of the group.
pub(super) struct AskedService {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) host: String,
    pub(super) ports: Vec<ServicePort>,
    /// What its pods are selected by, where a Service is rendered for each lane.
    pub(super) selector: Labels,
    /// The names of the lanes that hold it.
    pub(super) holders: Vec<String>,
    /// The names of the lanes that have a place for it.
    pub(super) places: Vec<String>,
}

/// What lets requests in.
pub(super) struct AskedGateway {
    pub(super) selector: Labels,
    pub(super) namespace: String,
    /// The Service of its pods, if it must be that one.
    pub(super) service: Option<String>,
    pub(super) hosts: Vec<String>,
    /// Its ports, and whether they speak HTTPS.
    pub(super) ports: Vec<(u16, bool)>,
    /// One that must exist.
    pub(super) reference: Option<GatewayRef>,
    /// Whether its pods come with the group: Istio deploys them for what is rendered.
    pub(super) is_deployed: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn of(group: &'a LaneGroup) -> anyhow::Result<Self> {
        Ok(Self {
            group,
            services: group.spec.services.iter().map(|service| AskedService::of(group, service)).collect(),
            falls_back: group.falls_back(),
            gateway: group.spec.gateway.as_ref().map(|gateway| AskedGateway::of(group, gateway)),
            rendered: Rendered::of(group)?,
        })
    }

    /// The mesh as the group has it.
    pub(super) fn mesh(&self) -> &'a Mesh {
        &self.group.spec.mesh
    }

    /// Whether others' DestinationRules and VirtualServices for the services' hosts count.
    pub(super) fn has_subsets(&self) -> bool {
        self.mesh().routing == Routing::VirtualService
    }

    /// Whether calls from a namespace must find their lanes.
    pub(super) fn is_caller(&self, namespace: &str) -> bool {
        self.mesh().callers.is_empty() || self.certain_callers().contains(&namespace)
    }

    /// Whether sidecars in a namespace must find the lanes of what they call. Gateways are none.
    pub(super) fn has_calling_sidecars(&self, namespace: &str) -> bool {
        let is_named = self.mesh().callers.iter().any(|caller| caller == namespace);
        let is_home = self.services.iter().any(|service| service.namespace == namespace);
        is_named || is_home || (self.mesh().callers.is_empty() && !self.is_gateways(namespace))
    }

    /// The namespaces that certainly call a service.
    pub(super) fn certain_callers(&self) -> Vec<&str> {
        let services = self.services.iter().map(|service| service.namespace.as_str());
        let named = self.mesh().callers.iter().map(String::as_str);
        let gateway = self.gateway.iter().map(|gateway| gateway.namespace.as_str());
        let mut namespaces: Vec<&str> = services.chain(named).chain(gateway).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        namespaces
    }

    /// The namespaces of the services.
    pub(super) fn homes(&self) -> Vec<&str> {
        let mut namespaces: Vec<&str> = self.services.iter().map(|service| service.namespace.as_str()).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        namespaces
    }

    pub(super) fn is_gateways(&self, namespace: &str) -> bool {
        self.gateway.as_ref().is_some_and(|gateway| gateway.namespace == namespace)
    }

    /// The labels by which the lanes' pods are told apart.
    pub(super) fn label_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> =
            self.group.spec.lanes.iter().flat_map(|lane| lane.labels.keys()).map(String::as_str).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

impl AskedService {
    fn of(group: &LaneGroup, service: &Service) -> Self {
        let spec = &group.spec;
        let namespace = group.namespace_of(service);
        let named = |lanes: Vec<&Lane>| lanes.into_iter().map(|lane| lane.name.clone()).collect();
        let holders: Vec<&Lane> = spec.lanes.iter().filter(|lane| spec.holds(lane, service)).collect();
        let has_all = spec.membership == Membership::Discovered || spec.mode == Mode::Strict;
        Self {
            name: service.name.clone(),
            namespace: namespace.to_owned(),
            host: format!("{}.{namespace}.svc.{}", service.name, spec.mesh.cluster_domain),
            ports: service.ports(),
            selector: service.selector(),
            places: if has_all { named(spec.lanes.iter().collect()) } else { named(holders.clone()) },
            holders: named(holders),
        }
    }

    pub(super) fn has_port(&self, number: u16) -> bool {
        self.ports.iter().any(|port| port.number == number)
    }
}

impl AskedGateway {
    fn of(group: &LaneGroup, gateway: &Gateway) -> Self {
        let (namespace, selector) = group.gateway_pods();
        let by_api = group.spec.mesh.routing == Routing::GatewayApi;
        let has_selector = !gateway.selector.is_empty();
        let has_resource = gateway.reference.is_none();
        Self {
            selector,
            namespace,
            service: (by_api && has_selector && has_resource).then(|| gateway.service.clone()),
            hosts: gateway.hosts.clone(),
            ports: gateway.ports().iter().map(|port| (port.number, port.credential_name.is_some())).collect(),
            reference: gateway.reference.clone(),
            is_deployed: by_api && !has_selector && has_resource,
        }
    }

    pub(super) fn has_port(&self, number: u16) -> bool {
        self.ports.iter().any(|(port, _)| *port == number)
    }
}
