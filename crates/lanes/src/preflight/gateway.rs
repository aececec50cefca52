//! The ingress: its pods, its port, and who else has its hosts.

mod others;

use super::{
    Preflight,
    anchor::Anchor,
    asked::AskedGateway,
    cluster::{IntOrName, Meta, Named, Pod, Service, ServicePort},
    finding::{labels, listed},
};

pub(super) use others::AtGateway;

impl<'a> Preflight<'a> {
    /// Nothing to look at for a group that begins inside the mesh.
    pub(super) fn gateway(&mut self) {
        let Some(gateway) = &self.asked.gateway else { return };
        self.reference(gateway);
        self.service_of(gateway);
        let pods: Vec<&Pod> = self.gateway_pods();
        if pods.iter().any(|pod| pod.metadata.namespace == gateway.namespace && pod.is_ready()) {
            self.exposed(gateway, &pods);
        } else if self.cluster.has_listed("pods") && !gateway.is_deployed {
            self.without_pods(gateway, &pods);
        }
        let is_apart = gateway.reference.is_none() && self.asked.group.metadata.namespace != gateway.namespace;
        if self.mesh.scopes_gateways && self.asked.has_subsets() && is_apart {
            let happens = format!(
                "istiod has PILOT_SCOPE_GATEWAY_TO_NAMESPACE: the gateway's pods in {} do not get the Gateway in {}, and every request \
                is answered with 404",
                gateway.namespace, self.asked.group.metadata.namespace
            );
            let remedy = "run a gateway in the lane group's namespace, or take the setting away";
            self.find(
                Anchor::GatewayScopedToNamespace,
                ("Deployment", &self.mesh.root_namespace, "istiod"),
                happens,
                remedy,
            );
        }
        self.others_at(gateway);
    }

    /// In every namespace: a Gateway's selector knows none.
    pub(super) fn gateway_pods(&self) -> Vec<&'a Pod> {
        let Some(gateway) = &self.asked.gateway else { return Vec::new() };
        let is_one = |pod: &&Pod| pod.is_live() && pod.metadata.has_labels(&gateway.selector);
        self.cluster.pods.iter().filter(is_one).collect()
    }

    fn reference(&mut self, gateway: &AskedGateway) {
        let Some(reference) = &gateway.reference else { return };
        let by_api = !self.asked.has_subsets();
        let is_it = |meta: &Meta| meta.name == reference.name && meta.namespace == reference.namespace;
        let is_there = if by_api {
            self.cluster.api_gateways.iter().any(|gateway| is_it(&gateway.metadata))
        } else {
            self.cluster.gateways.iter().any(|gateway| is_it(&gateway.metadata))
        };
        if is_there || !self.cluster.has_listed("gateways") {
            return;
        }
        let what = if by_api { "Gateway of Gateway API" } else { "Istio Gateway" };
        let happens =
            format!("there is no such {what}, so nothing serves the group's hosts: every request is answered with 404");
        let remedy = "correct spec.gateway.ref, or leave it out: a Gateway is rendered then";
        self.find(Anchor::GatewayMissing, ("Gateway", &reference.namespace, &reference.name), happens, remedy);
    }

    fn service_of(&mut self, gateway: &AskedGateway) {
        let Some(name) = &gateway.service else { return };
        let is_it = |service: &Named<Service>| {
            service.metadata.name == *name && service.metadata.namespace == gateway.namespace
        };
        if !self.cluster.has_listed("services") || self.cluster.services.iter().any(is_it) {
            return;
        }
        let happens = "the rendered Gateway has this Service as its address, and Istio finds no pods by it: every request is answered with 404";
        let remedy = "correct spec.gateway.service and spec.gateway.namespace";
        self.find(Anchor::GatewayServiceMissing, ("Service", &gateway.namespace, name), happens, remedy);
    }

    fn without_pods(&mut self, gateway: &AskedGateway, pods: &[&Pod]) {
        let selector = labels(&gateway.selector);
        let (here, elsewhere): (Vec<&Pod>, Vec<&Pod>) =
            pods.iter().copied().partition(|pod| pod.metadata.namespace == gateway.namespace);
        if let (true, Some(first)) = (here.is_empty(), elsewhere.first()) {
            let happens = format!(
                "the gateway's pods ({selector}) are in {} and not in {}: the filter that gives requests their tags is applied where no \
                gateway is, and every request goes to the baseline",
                first.metadata.namespace, gateway.namespace
            );
            let remedy = format!("spec.gateway.namespace: {}", first.metadata.namespace);
            self.find(Anchor::GatewayElsewhere, ("Pod", &first.metadata), happens, remedy);
            return;
        }
        let why = if here.is_empty() {
            format!("no pod in {} has the labels {selector}", gateway.namespace)
        } else {
            format!("none of the gateway's pods is ready ({})", listed(here.iter().map(|pod| &pod.metadata.name)))
        };
        let happens = format!("{why}: nobody takes the group's requests in, and every one of them fails");
        let remedy = "correct spec.gateway.selector and spec.gateway.namespace, or start the gateway";
        self.find(Anchor::GatewayWithoutPods, ("Pod", &gateway.namespace, ""), happens, remedy);
    }

    /// The gateway listens on the target port of a Service's port of that number, or else on the number itself.
    fn exposed(&mut self, gateway: &AskedGateway, pods: &[&Pod]) {
        if gateway.reference.is_some() {
            return;
        }
        let selects = |service: &&Named<Service>| {
            let is_its = |pod: &&Pod| {
                pod.metadata.namespace == service.metadata.namespace && pod.metadata.has_labels(&service.spec.selector)
            };
            !service.spec.selector.is_empty() && pods.iter().any(is_its)
        };
        let services: Vec<&Named<Service>> = self.cluster.services.iter().filter(selects).collect();
        let ports = || services.iter().flat_map(|service| &service.spec.ports);
        for &(number, _) in &gateway.ports {
            let leads_there = |port: &ServicePort| match &port.target_port {
                _ if port.port == number => true,
                Some(IntOrName::Int(target)) => *target == number,
                Some(IntOrName::Name(_)) => true,
                None => false,
            };
            let Some(first) = services.first().filter(|_| !ports().any(leads_there)) else { continue };
            let there = listed(ports().map(|port| port.port.to_string()));
            let happens = format!(
                "the gateway's Service has the ports {there}, and none leads to {number}: requests from outside do not reach the group"
            );
            let remedy = "correct the port in spec.gateway, or add it to the Service";
            self.find(Anchor::GatewayPortNotExposed, ("Service", &first.metadata), happens, remedy);
        }
    }
}
