//! The gateway.

use super::Findings;
use crate::{
    document::{Gateway, Routing, Spec},
    render::baggage_strip,
};

impl Findings {
    pub(super) fn gateway(&mut self, spec: &Spec) {
        let Some(gateway) = &spec.gateway else { return };
        self.gateway_pods(spec, gateway);
        self.name("spec.gateway.namespace", &gateway.namespace);
        self.name("spec.gateway.service", &gateway.service);
        if gateway.hosts.is_empty() {
            self.error("spec.gateway.hosts", "expected at least one host, or `*` for every host");
        }
        for (index, host) in gateway.hosts.iter().enumerate() {
            self.host(&format!("spec.gateway.hosts[{index}]"), host);
        }
        if let Some(reference) = &gateway.reference {
            self.resource_name("spec.gateway.ref.name", &reference.name);
            self.name("spec.gateway.ref.namespace", &reference.namespace);
            if gateway.port.is_some() || !gateway.ports.is_empty() {
                self.error(
                    "spec.gateway.ref",
                    "the gateway that it names has ports of its own: leave `port` and `ports` out",
                );
            }
        }
        self.gateway_ports(gateway);
    }

    /// Pods are known by their labels, but those that Istio deploys for a Gateway of Gateway API.
    fn gateway_pods(&mut self, spec: &Spec, gateway: &Gateway) {
        let has_filter = spec.users().is_some() || baggage_strip(spec).is_some();
        let is_needed = match spec.mesh.routing {
            Routing::VirtualService => gateway.reference.is_none() || has_filter,
            Routing::GatewayApi => false,
        };
        if is_needed || !gateway.selector.is_empty() {
            self.labels("spec.gateway.selector", &gateway.selector);
        }
    }

    fn gateway_ports(&mut self, gateway: &Gateway) {
        if let Some(port) = gateway.port {
            self.port("spec.gateway.port", port);
            if !gateway.ports.is_empty() {
                self.error("spec.gateway.ports", "expected one of `port` and `ports`, not both");
            }
        }
        for (index, port) in gateway.ports.iter().enumerate() {
            let path = format!("spec.gateway.ports[{index}]");
            self.port(&format!("{path}.number"), port.number);
            if gateway.ports.iter().take(index).any(|other| other.number == port.number) {
                self.error(format!("{path}.number"), format!("the port {} is listed before", port.number));
            }
            if let Some(name) = &port.credential_name {
                self.resource_name(&format!("{path}.credentialName"), name);
            }
        }
    }
}
