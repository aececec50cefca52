//! The services' ports, which ASM leaves to the Services themselves.

use super::{
    asm::{Destination, SwimLane},
    group::Source,
    input::{Place, Resource},
    notes::Notes,
};
use crate::{
    document::{Protocol, Service},
    preflight::{
        ServicePort,
        ports::{Spoken, spoken},
    },
};

/// A destination that names a port.
struct Named<'a> {
    service: &'a str,
    port: u16,
    place: &'a Place<'a>,
    path: String,
}

impl<'a> Source<'a> {
    pub(super) fn services(&self, notes: &mut Notes) -> Vec<Service> {
        let named = self.named_ports();
        let mut own = Vec::new();
        for (index, service) in self.group.object.spec.services.iter().enumerate() {
            if service.namespace() != self.namespace {
                continue;
            }
            let (name, path) = (&service.name, format!("spec.services[{index}].name"));
            match self.port(name, &named) {
                Ok((port, protocol)) => {
                    self.other_ports(name, port, &named, &path, notes);
                    own.push(Service { name: name.clone(), port: Some(port), protocol, ..Service::default() });
                }
                Err(message) => notes.error(&self.group.place, &path, message),
            }
        }
        own
    }

    /// The ports that rules and weights name.
    fn named_ports(&self) -> Vec<Named<'a>> {
        let of = |lane: &&'a Resource<'a, SwimLane>| {
            let (place, spec) = (&lane.place, &lane.object.spec);
            let rules = spec.ingress_rules.iter().enumerate();
            let rules =
                rules.map(|(index, rule)| (format!("spec.ingressRules[{index}].route"), &rule.route.destination));
            let all = rules.chain([("spec.ingressWeight".to_owned(), &spec.ingress_weight.destination)]);
            all.map(move |(path, to)| (place, format!("{path}.destination.portNum"), to)).collect::<Vec<_>>()
        };
        let named = |(place, path, to): (&'a Place<'a>, String, &Destination)| {
            let service = self.service_of(&to.host).filter(|_| to.port_num > 0)?;
            Some(Named { service, port: to.port_num, place, path })
        };
        self.lanes.iter().flat_map(of).filter_map(named).collect()
    }

    /// Of several ports, a lane group has one.
    fn other_ports(&self, service: &str, port: u16, named: &[Named<'_>], path: &str, notes: &mut Notes) {
        for other in named.iter().filter(|other| other.service == service && other.port != port) {
            let message = format!("`{service}` has one port in a lane group, here {port}");
            notes.lost(other.place, &other.path, message);
        }
        let others = numbers(self.http_ports(service).into_iter().filter(|(other, _)| *other != port));
        if !others.is_empty() {
            let message = format!("of the ports of `{service}`, {port} is in the lanes, and {others} is not");
            notes.assumed(&self.group.place, path, "services", message);
        }
    }

    /// The ports of the Service that speak HTTP, and what.
    fn http_ports(&self, service: &str) -> Vec<(u16, Protocol)> {
        let ports = self.listed(service).unwrap_or_default();
        ports.iter().filter_map(|listed| protocol(listed).map(|protocol| (listed.port, protocol))).collect()
    }

    /// The ports of the Service, if it is in the input.
    fn listed(&self, service: &str) -> Option<&'a [ServicePort]> {
        let object = self.input.services.iter().find(|object| object.is(service, self.namespace))?;
        Some(&object.object.spec.ports)
    }

    /// A service's port: as the options say it, a rule, its Service, or the options for all services.
    fn port(&self, service: &str, named: &[Named<'_>]) -> Result<(u16, Protocol), String> {
        let http = self.http_ports(service);
        let of_rules = named.iter().find(|named| named.service == service).map(|named| named.port);
        if let Some(port) = self.options.ports.get(service).copied().or(of_rules) {
            let listed = http.iter().find(|(listed, _)| *listed == port);
            return Ok(listed.copied().unwrap_or((port, Protocol::default())));
        }
        match (http.as_slice(), self.listed(service), self.options.default_port) {
            ([port], ..) => Ok(*port),
            ([(first, _), ..], ..) => {
                let ports = numbers(http.iter().copied());
                Err(format!("`{service}` has the ports {ports}: choose one with `--port {service}={first}`"))
            }
            ([], Some(_), _) => {
                Err(format!("no port of the Service `{service}` speaks HTTP: lanes are of HTTP and gRPC"))
            }
            ([], None, Some(port)) => Ok((port, Protocol::default())),
            ([], None, None) => Err(format!(
                "no port is known of `{service}`: say it with `--port {service}=8000`, or `--port 8000` for every service, \
                or give the Services along: kubectl get services --namespace {} -o yaml",
                self.namespace
            )),
        }
    }
}

fn numbers(ports: impl Iterator<Item = (u16, Protocol)>) -> String {
    ports.map(|(port, _)| port.to_string()).collect::<Vec<_>>().join(", ")
}

/// What a port speaks, as Istio reads it; none if it is not HTTP.
fn protocol(port: &ServicePort) -> Option<Protocol> {
    let said = port.app_protocol.as_ref().unwrap_or(&port.name);
    match spoken(port) {
        Spoken::Opaque => None,
        Spoken::Http2 if said.to_ascii_lowercase().starts_with("grpc") => Some(Protocol::Grpc),
        Spoken::Http2 => Some(Protocol::Http2),
        Spoken::Http | Spoken::Guessed => Some(Protocol::Http),
    }
}
