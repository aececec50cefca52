//! The services, and references to them.

use super::{Findings, lanes::listed};
use crate::document::{LaneGroup, Service, Spec, TargetPort};

impl Findings {
    pub(super) fn services(&mut self, group: &LaneGroup) {
        let services = &group.spec.services;
        if services.is_empty() {
            self.error("spec.services", "expected at least one service");
        }
        for (index, service) in services.iter().enumerate() {
            let path = format!("spec.services[{index}]");
            self.name(&format!("{path}.name"), &service.name);
            if let Some(namespace) = &service.namespace {
                self.name(&format!("{path}.namespace"), namespace);
            }
            if !service.selector.is_empty() {
                self.labels(&format!("{path}.selector"), &service.selector);
            }
            let mut earlier = services.iter().take(index).filter(|other| other.name == service.name);
            if earlier.clone().any(|other| group.namespace_of(other) == group.namespace_of(service)) {
                self.error(format!("{path}.name"), format!("the service `{}` is listed before", service.name));
            } else if earlier.any(|other| other.namespace.is_none() || service.namespace.is_none()) {
                let message = format!("two services are called `{}`: say `namespace` of both", service.name);
                self.error(format!("{path}.namespace"), message);
            }
            self.service_ports(&path, service);
        }
    }

    /// The service that a reference means; says what is wrong about it otherwise.
    pub(super) fn known_service<'a>(&mut self, path: &str, reference: &str, spec: &'a Spec) -> Option<&'a Service> {
        let found: Vec<&Service> = spec.services.iter().filter(|service| spec.is_called(service, reference)).collect();
        match found.as_slice() {
            [service] => return Some(service),
            [] => {
                let names: Vec<String> = spec.services.iter().map(|service| spec.reference(service)).collect();
                let message =
                    format!("there is no service `{reference}` in spec.services: there are {}", listed(&names));
                self.error(path, message);
            }
            [first, others @ ..] if others.iter().all(|other| other.namespace == first.namespace) => {
                return Some(first);
            }
            several => {
                let names: Vec<String> = several.iter().map(|service| spec.reference(service)).collect();
                self.error(path, format!("`{reference}` may be any of {}: write which", listed(&names)));
            }
        }
        None
    }

    pub(super) fn port(&mut self, path: &str, port: u16) {
        if port == 0 {
            self.error(path, "0 is no port");
        }
    }

    fn service_ports(&mut self, path: &str, service: &Service) {
        match (service.port, service.ports.is_empty()) {
            (None, true) => {
                self.error(format!("{path}.port"), "is missing: a service needs `port`, or `ports` if it has several")
            }
            (Some(_), false) => self.error(format!("{path}.ports"), "expected one of `port` and `ports`, not both"),
            _ => {}
        }
        if let Some(port) = service.port {
            self.port(&format!("{path}.port"), port);
            self.target_port(&format!("{path}.targetPort"), service.target_port.as_ref());
        } else if service.target_port.is_some() {
            self.error(format!("{path}.targetPort"), "is said of each of `ports`");
        }
        for (index, port) in service.ports.iter().enumerate() {
            let path = format!("{path}.ports[{index}]");
            self.port(&format!("{path}.number"), port.number);
            self.target_port(&format!("{path}.targetPort"), port.target_port.as_ref());
            if service.ports.iter().take(index).any(|other| other.number == port.number) {
                self.error(format!("{path}.number"), format!("the port {} is listed before", port.number));
            }
        }
    }

    fn target_port(&mut self, path: &str, port: Option<&TargetPort>) {
        match port {
            Some(TargetPort::Number(port)) => self.port(path, *port),
            Some(TargetPort::Name(name)) => self.name(path, name),
            None => {}
        }
    }
}
