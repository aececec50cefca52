//! What the types of a lane group cannot say.

mod assign;
mod clients;
mod gateway;
mod lanes;
mod mesh;
mod mirror;
mod names;
mod routes;
mod services;
mod together;
mod traffic;

use crate::{
    document::{LaneGroup, Mode, Propagation, Untagged},
    finding::Findings,
};

pub use together::together;

/// Finds everything at once.
pub fn check(group: &LaneGroup) -> Findings {
    let mut findings = Findings::default();
    let spec = &group.spec;
    findings.name("metadata.name", &group.metadata.name);
    findings.name("metadata.namespace", &group.metadata.namespace);
    findings.header("spec.routeHeader", &spec.route_header);
    findings.mesh(group);
    findings.gateway(spec);
    findings.propagation(spec.mode, spec.propagation.as_ref(), &spec.route_header);
    findings.services(group);
    findings.lanes(spec);
    findings.mirrored(spec);
    findings.routes(spec);
    findings.filters(&spec.filters);
    if let Some(assign) = &spec.assign {
        findings.assign(spec, assign);
    }
    findings.clients(group);
    if (spec.mode, spec.untagged) == (Mode::Strict, Some(Untagged::Baseline)) {
        findings.warn(
            "spec.untagged",
            "in strict mode, requests without a tag usually belong to no lane: `reject` is the default",
        );
    }
    findings
}

impl Findings {
    fn propagation(&mut self, mode: Mode, propagation: Option<&Propagation>, route_header: &str) {
        match propagation {
            Some(Propagation::Trace(trace)) => {
                let path = "spec.propagation.trace.header";
                self.header(path, &trace.header);
                if trace.header.eq_ignore_ascii_case(route_header) {
                    let message = "the route header cannot be the trace header: an application that forwards the route header \
                        needs `propagation: application`";
                    self.error(path, message);
                }
            }
            Some(Propagation::Baggage(baggage)) => {
                if let Some(key) = &baggage.key {
                    self.token("spec.propagation.baggage.key", key);
                }
            }
            Some(Propagation::SourceLabels) if mode == Mode::Permissive => {
                let message = "a request that falls back to the baseline leaves its lane for good: only trace, baggage or \
                    application bring it back";
                self.warn("spec.propagation", message);
            }
            Some(Propagation::Application | Propagation::SourceLabels) | None => {}
        }
    }
}
