//! What cannot be said for Higress, with Ingresses or without.

use crate::{
    document::{FailStrategy, LaneGroup, Routing, Tagging},
    finding::Findings,
};

/// # Errors
/// The lane group asks for it.
pub(super) fn refuse(group: &LaneGroup) -> anyhow::Result<()> {
    let spec = &group.spec;
    let mut findings = Findings::default();
    if spec.gateway.is_none() {
        findings.error("spec.gateway", "Higress is a gateway, and the lane group has none: add `gateway: {}`");
    }
    if spec.mesh.routing == Routing::GatewayApi {
        let message = "at a Higress gateway lanes are subsets, which no HTTPRoute leads to: use `virtualService` (or `--routing \
            virtual-service`)";
        findings.error("spec.mesh.routing", message);
    }
    if spec.users().is_some_and(|users| users.tagging == Tagging::Native) {
        let message = "Higress' Envoy is one of its own, and nobody has seen its routes hash: leave it out";
        findings.error("spec.assign.users.tagging", message);
    }
    if let Some((lane, _)) = spec.mirrored().next() {
        let message = format!(
            "nobody has seen Higress' Envoy give a copy another tag than its original's: lane {} cannot get copies",
            lane.name
        );
        findings.error("spec.lanes", message);
    }
    if spec.filters.fail_strategy == FailStrategy::FailReload {
        let message = "Higress' WasmPlugin knows FAIL_OPEN and FAIL_CLOSE only: use one of them";
        findings.error("spec.filters.failStrategy", message);
    }
    findings.refuse()
}
