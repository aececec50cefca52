//! Gateway API: a Service for each lane, which must lead where the service itself does.

use super::{
    Preflight,
    anchor::Anchor,
    cluster::{IntOrName, Pod},
    finding::{labels, listed},
    service_pods::ServicePods,
};
use crate::document::{ServicePort, TargetPort};

impl Preflight<'_> {
    pub(super) fn lane_services(&mut self, found: &ServicePods<'_>) {
        if self.asked.has_subsets() {
            return;
        }
        let asked = found.asked;
        let left_out = found.pods.iter().filter(|pod| !pod.metadata.has_labels(&asked.selector));
        let left_out: Vec<&str> = left_out.map(|pod| pod.metadata.name.as_str()).collect();
        if !left_out.is_empty() {
            let happens = format!(
                "the lanes' Services would select {} and leave out {}: no request of any lane reaches them",
                labels(&asked.selector),
                listed(left_out)
            );
            let remedy = format!(
                "say the Service's own selector in spec.services[].selector: {}",
                labels(&found.service.selector)
            );
            self.find(Anchor::ServiceAnotherSelector, found, happens, remedy);
        }
        for port in &asked.ports {
            self.lane_target_port(found, port);
        }
    }

    fn lane_target_port(&mut self, found: &ServicePods<'_>, asked: &ServicePort) {
        let Some(port) = found.service.ports.iter().find(|port| port.port == asked.number) else { return };
        let (there, wanted) = (target(port.target_port.as_ref(), port.port), wanted(asked));
        let is_same = there == wanted
            || found
                .pods
                .first()
                .is_some_and(|pod| number(pod, &there).is_some_and(|there| number(pod, &wanted) == Some(there)));
        if is_same {
            return;
        }
        let happens = format!(
            "port {} of {} leads to {there} of the pods, and the lanes' Services would lead to {wanted}: requests in every lane are \
            answered with 503",
            port.port, found.asked.name
        );
        let remedy = format!("targetPort: {there} for this port in spec.services");
        self.find(Anchor::ServiceAnotherTargetPort, found, happens, remedy);
    }
}

fn target(target: Option<&IntOrName>, port: u16) -> String {
    match target {
        Some(IntOrName::Int(number)) => number.to_string(),
        Some(IntOrName::Name(name)) => name.clone(),
        None => port.to_string(),
    }
}

fn wanted(asked: &ServicePort) -> String {
    match &asked.target_port {
        Some(TargetPort::Number(number)) => number.to_string(),
        Some(TargetPort::Name(name)) => name.clone(),
        None => asked.number.to_string(),
    }
}

/// The number of a pod's port.
fn number(pod: &Pod, target: &str) -> Option<u16> {
    let ports = || pod.all_containers().flat_map(|container| &container.ports);
    target.parse().ok().or_else(|| ports().find(|port| port.name == target).map(|port| port.container_port))
}
