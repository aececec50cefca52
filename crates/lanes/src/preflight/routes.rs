//! Routes of others: HTTPRoutes and GRPCRoutes for a service, ServiceEntries for its host, and ways that lead past its lanes.

use super::{
    Preflight,
    anchor::Anchor,
    asked::AskedService,
    cluster::{Destination, Meta, Named, Route, VirtualService},
    finding::{Object, names},
    gateway::AtGateway,
    host::{covers, resolve},
    ownership::{Owner, owner},
    virtual_services::{is_in_mesh, is_name_of},
};

impl Preflight<'_> {
    pub(super) fn routes(&mut self) {
        for Named { kind, metadata, spec } in &self.cluster.routes {
            if owner(self.asked, metadata) == Owner::Others {
                self.route(kind, metadata, spec);
            }
        }
        for Named { metadata, spec, .. } in &self.cluster.virtual_services {
            if owner(self.asked, metadata) == Owner::Others {
                self.past_the_lanes(metadata, spec);
            }
        }
        for Named { metadata, spec, .. } in &self.cluster.service_entries {
            let hosts: Vec<&AskedService> =
                self.asked.services.iter().filter(|service| spec.hosts.contains(&service.host)).collect();
            let is_hidden = spec.export_to.iter().any(|to| to == "~");
            if !hosts.is_empty() && !is_hidden {
                let happens = format!(
                    "it says in its own way what {} is: its endpoints have no lane, and requests go to them or to the pods at random",
                    names(&hosts)
                );
                let remedy = "take the host out of it";
                self.find(Anchor::ServiceEntryForTheHost, ("ServiceEntry", metadata), happens, remedy);
            }
        }
    }

    fn route(&mut self, kind: &str, metadata: &Meta, spec: &Route) {
        let is_service =
            |service: &AskedService, kind: &str, name: &str, namespace: Option<&str>, port: Option<u16>| {
                kind == "Service"
                    && name == service.name
                    && namespace.unwrap_or(&metadata.namespace) == service.namespace
                    && port.is_none_or(|number| service.has_port(number))
            };
        let is_parent = |service: &&AskedService| {
            // One of another namespace than the service's is for its own callers.
            let counts = metadata.namespace == service.namespace || self.asked.is_caller(&metadata.namespace);
            counts
                && spec.parent_refs.iter().any(|parent| {
                    is_service(service, &parent.kind, &parent.name, parent.namespace.as_deref(), parent.port)
                })
        };
        let parents: Vec<&AskedService> = self.asked.services.iter().filter(is_parent).collect();
        if !parents.is_empty() {
            let from = if parents.iter().all(|service| service.namespace == metadata.namespace) {
                String::new()
            } else {
                format!(" from {}", metadata.namespace)
            };
            let happens = format!(
                "it routes calls to {}{from} as the group does, and of the two one counts: if it is this one, requests go where it says, \
                whatever their tag",
                names(&parents)
            );
            let remedy = "delete it and say what it does in the lane group";
            self.find(Anchor::HttpRouteForTheService, (kind, metadata), happens, remedy);
            return;
        }
        let backends = || spec.rules.iter().flat_map(|rule| &rule.backend_refs);
        let is_backend = |service: &&AskedService| {
            backends().any(|backend| {
                let kind = if backend.kind.is_empty() { "Service" } else { &backend.kind };
                is_service(service, kind, &backend.name, backend.namespace.as_deref(), backend.port)
            })
        };
        let reached: Vec<&AskedService> = self.asked.services.iter().filter(is_backend).collect();
        self.reached_past_the_lanes(Object::from((kind, metadata)), &reached);
    }

    /// A route to a service without a subset is one to all its pods, unless it is the group's own host that it is for.
    fn past_the_lanes(&mut self, metadata: &Meta, spec: &VirtualService) {
        let domain = &self.asked.mesh().cluster_domain;
        let hosts: Vec<String> = spec.hosts.iter().map(|host| resolve(host, &metadata.namespace, domain)).collect();
        let is_told = |service: &AskedService| {
            is_in_mesh(spec) && hosts.iter().any(|host| covers(host, &service.host) || is_name_of(host, service))
        };
        if matches!(self.at_gateway(metadata, spec), AtGateway::SameHosts(_)) {
            return;
        }
        let leads = |service: &AskedService, Destination { destination }: &Destination| {
            resolve(&destination.host, &metadata.namespace, domain) == service.host
                && destination.port.as_ref().is_none_or(|port| service.has_port(port.number))
        };
        let is_reached = |service: &&AskedService| {
            !is_told(service) && spec.http.iter().flat_map(|route| &route.route).any(|route| leads(service, route))
        };
        let reached: Vec<&AskedService> = self.asked.services.iter().filter(is_reached).collect();
        self.reached_past_the_lanes(Object::from(("VirtualService", metadata)), &reached);
    }

    fn reached_past_the_lanes(&mut self, object: Object, services: &[&AskedService]) {
        if services.is_empty() {
            return;
        }
        let happens = format!(
            "requests that it takes reach {} past the lanes: any pod of any lane answers them, so users who are in no lane meet the \
            lanes' versions",
            names(services)
        );
        let remedy = "take these requests in by the lane group's routes, or accept that they are in no lane";
        self.find(Anchor::RoutePastTheLanes, object, happens, remedy);
    }
}
