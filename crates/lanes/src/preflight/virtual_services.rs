//! VirtualServices of others in the mesh.
//!
//! Of several for one host a sidecar takes the first: those of its own namespace alone, those exported to it by name, then
//! those for everybody, of each the oldest. One for the very host comes before any wildcard.

use super::{
    Preflight,
    anchor::Anchor,
    asked::AskedService,
    cluster::{Meta, Named, VirtualService},
    finding::{Finding, Object, listed, names},
    host::{covers, resolve},
    ownership::{Owner, owner},
};

const KIND: &str = "VirtualService";

impl<'a> Preflight<'a> {
    pub(super) fn virtual_services(&mut self) {
        if !self.asked.has_subsets() {
            return;
        }
        for Named { metadata, spec, .. } in &self.cluster.virtual_services {
            if !is_in_mesh(spec) || !self.is_seen_by_callers(metadata, spec) {
                continue;
            }
            let hosts: Vec<String> = spec
                .hosts
                .iter()
                .map(|host| resolve(host, &metadata.namespace, &self.asked.mesh().cluster_domain))
                .collect();
            let services = || self.asked.services.iter().filter(|service| applies_to(spec, service));
            let same: Vec<&AskedService> =
                services().filter(|service| hosts.iter().any(|host| is_name_of(host, service))).collect();
            let wide: Vec<&AskedService> = services()
                .filter(|service| hosts.iter().any(|host| host.starts_with('*') && covers(host, &service.host)))
                .collect();
            match owner(self.asked, metadata) {
                Owner::Own => {}
                Owner::AnotherGroup(group) if !same.is_empty() => {
                    self.another_group(Object::from((KIND, metadata)), group, &names(&same));
                }
                _ if !same.is_empty() => self.for_the_host(metadata, spec, &same),
                _ if !wide.is_empty() => self.overruled_routes(metadata, &wide),
                _ => {}
            }
        }
    }

    fn is_seen_by_callers(&self, metadata: &Meta, spec: &VirtualService) -> bool {
        let given = self.exports(spec);
        let is_caller = |to: &String| match to.as_str() {
            "*" => true,
            "." => self.asked.has_calling_sidecars(&metadata.namespace),
            "~" => false,
            namespace => self.asked.has_calling_sidecars(namespace),
        };
        given.is_empty() || given.iter().any(is_caller)
    }

    fn exports<'b>(&'b self, spec: &'b VirtualService) -> &'b [String] {
        if spec.export_to.is_empty() { &self.mesh.config.default_virtual_service_export_to } else { &spec.export_to }
    }

    fn for_the_host(&mut self, metadata: &Meta, spec: &VirtualService, services: &[&AskedService]) {
        let exports = self.exports(spec);
        let is_for_all = exports.is_empty() || exports.iter().any(|to| to == "*");
        let from = if is_for_all {
            String::new()
        } else {
            let told = exports.iter().map(|to| if to == "." { &metadata.namespace } else { to });
            format!(" from {}", listed(told))
        };
        let ours = |service: &AskedService| {
            self.cluster.virtual_services.iter().find(|own| {
                owner(self.asked, &own.metadata) == Owner::Own
                    && own.metadata.namespace == service.namespace
                    && own.spec.hosts.contains(&service.host)
            })
        };
        let is_younger = |service: &&AskedService| {
            ours(service).is_some_and(|own| own.metadata.creation_timestamp < metadata.creation_timestamp)
        };
        let names = names(services);
        let object = Object::from((KIND, metadata));
        if is_for_all && services.iter().all(is_younger) {
            let happens = format!(
                "it is for {names} as the group's own VirtualService is, which is older and is the one that counts; if the group is \
                deleted and applied anew, this one is"
            );
            let remedy = "move what it does into the lane group's routes, or delete it";
            self.findings.push(Finding::new(Anchor::VirtualServiceForTheHost, object, happens, remedy).only_warns());
            return;
        }
        let happens = format!(
            "sidecars take one VirtualService per host, and this one comes before the group's: calls to {names}{from} follow its routes \
            to any pod of any lane, whatever their tag"
        );
        let remedy = "delete it and say what it does in the lane group, or give it a host of its own; with Gateway API routing it cannot \
            break the lanes";
        self.find(Anchor::VirtualServiceForTheHost, object, happens, remedy);
    }

    fn overruled_routes(&mut self, metadata: &Meta, services: &[&AskedService]) {
        let happens = format!(
            "today it holds for calls to {}; with the group's VirtualServices, which name the very hosts, it no longer does",
            names(services)
        );
        let remedy = "nothing, if these services can do without its timeouts, retries and faults";
        self.find(Anchor::VirtualServiceOverruled, (KIND, metadata), happens, remedy);
    }
}

pub(super) fn is_in_mesh(spec: &VirtualService) -> bool {
    spec.gateways.is_empty() || spec.gateways.iter().any(|gateway| gateway == "mesh")
}

/// Whether it has a route for one of the service's ports. One that has none for a port is as good as not there.
fn applies_to(spec: &VirtualService, service: &AskedService) -> bool {
    let is_for = |port: Option<u16>| port.is_none_or(|number| service.has_port(number));
    spec.http
        .iter()
        .any(|route| route.r#match.is_empty() || route.r#match.iter().any(|condition| is_for(condition.port)))
}

/// Whether a caller may name the service so: in full, or with its namespace.
pub(super) fn is_name_of(host: &str, service: &AskedService) -> bool {
    let short = format!("{}.{}", service.name, service.namespace);
    host == service.host || host == short || host == format!("{short}.svc")
}
