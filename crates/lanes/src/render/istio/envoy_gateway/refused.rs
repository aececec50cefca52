//! What cannot be said for Envoy Gateway.

use crate::{
    document::{FailStrategy, LaneGroup, Phase, Tagging, TargetPort},
    finding::Findings,
    render::{istio::front, pools::Pool, rules::destination},
};

/// What its BackendTrafficPolicy knows to retry on (`TriggerEnum`).
const TRIGGERS: [&str; 13] = [
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// # Errors
/// The lane group asks for it.
pub(super) fn refuse(group: &LaneGroup) -> anyhow::Result<()> {
    let spec = &group.spec;
    let mut findings = Findings::default();
    if spec.gateway.is_none() {
        findings.error("spec.gateway", "Envoy Gateway is a gateway, and the lane group has none: add `gateway: {}`");
    }
    findings.http_routes(group, "Envoy Gateway");
    findings.filters_of_envoy_gateway(group);
    if let Some((lane, _)) = spec.mirrored().next() {
        let message =
            format!("no HTTPRoute gives a copy another tag than its original's: lane {} cannot get copies", lane.name);
        findings.error("spec.lanes", message);
    }
    findings.weights_that_fall_back(group);
    findings.named_ports(group);
    findings.triggers(group);
    findings.refuse()
}

impl Findings {
    fn filters_of_envoy_gateway(&mut self, group: &LaneGroup) {
        let spec = &group.spec;
        if spec.users().is_some_and(|users| users.tagging == Tagging::Native) {
            let message =
                "an HTTPRoute has no word for a weight that is chosen by a hash: leave it out, and the filter does it";
            self.error("spec.assign.users.tagging", message);
        }
        if spec.filters.fail_strategy == FailStrategy::FailReload {
            let message = "Envoy Gateway's EnvoyExtensionPolicy is `failOpen` or not: use FAIL_OPEN or FAIL_CLOSE";
            self.error("spec.filters.failStrategy", message);
        }
        let place = "behind authentication and before authorization, unless the EnvoyProxy's `filterOrder` says otherwise: leave it out";
        if spec.filters.phase != Phase::default() {
            self.error("spec.filters.phase", format!("Envoy Gateway has all modules in one place, {place}"));
        }
        if spec.filters.priority.is_some() {
            self.error("spec.filters.priority", format!("Envoy Gateway has all modules in one place, {place}"));
        }
    }

    /// Each of several weighted Backends is a cluster of its own, and a fallback would get a share of the requests.
    fn weights_that_fall_back(&mut self, group: &LaneGroup) {
        let spec = &group.spec;
        let weighted = spec.routes.iter().filter(|route| route.lane.is_none());
        let services = weighted.filter_map(|route| destination(spec, route)).map(|(service, _)| service);
        let falls_back = services.into_iter().any(|service| {
            let lanes = spec.weights().into_iter().flatten().filter(|share| share.weight > 0);
            lanes.into_iter().any(|share| group.pool(service, &share.lane).falls_back())
        });
        if falls_back {
            let message = "to Envoy Gateway a rule has weights or a fallback, not both: use `users`, or `mode: strict`";
            self.error("spec.assign.weights", message);
        }
    }

    /// What a lane falls back by are addresses of pods, and DNS knows no name of their port.
    fn named_ports(&mut self, group: &LaneGroup) {
        for (index, service) in group.spec.services.iter().enumerate() {
            let is_named = |target: &Option<TargetPort>| matches!(target, Some(TargetPort::Name(_)));
            let falls_back =
                group.pools(service).iter().any(Pool::falls_back) && front::is_led_to(&group.spec, service);
            if falls_back && service.ports().iter().any(|port| is_named(&port.target_port)) {
                let message = format!(
                    "to fall back, Envoy Gateway is told the pods of `{}` by DNS, which knows no name of a port: say its number",
                    service.name
                );
                self.error(format!("spec.services[{index}].targetPort"), message);
            }
        }
    }

    fn triggers(&mut self, group: &LaneGroup) {
        for (index, route) in group.spec.routes.iter().enumerate() {
            let on = route.retries.as_ref().and_then(|retries| retries.retry_on.as_deref()).unwrap_or_default();
            let is_unknown = |part: &&str| !part.is_empty() && part.parse::<u16>().is_err() && !TRIGGERS.contains(part);
            if let Some(unknown) = on.split(',').find(is_unknown) {
                let message = format!("Envoy Gateway does not know `{unknown}`: there are {}", TRIGGERS.join(", "));
                self.error(format!("spec.routes[{index}].retries.retryOn"), message);
            }
        }
    }
}
