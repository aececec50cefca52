//! The routes that an Ingress can say, and why it cannot say the others.

use super::path::Path;
use crate::{
    document::{LaneGroup, Mode, Propagation, Retries, Route, Service, Spec, Untagged},
    finding::Findings,
    render::rules::destination,
};

/// What to do about everything that an Ingress cannot say.
pub(super) const REMEDY: &str = "render without --ingress";

/// A route that an Ingress can say.
pub(super) struct Way<'a> {
    pub(super) route: &'a Route,
    pub(super) service: &'a Service,
    pub(super) port: u16,
    pub(super) paths: Vec<Path>,
}

/// # Errors
/// The lane group asks for what an Ingress cannot say.
pub(super) fn ways(group: &LaneGroup) -> anyhow::Result<Vec<Way<'_>>> {
    let spec = &group.spec;
    let mut findings = Findings::default();
    findings.refuse_of_group(spec);
    findings.lane_services(group, "--ingress");
    let mut taken: Vec<(&str, Path)> = Vec::new();
    let mut ways = Vec::new();
    for (index, route) in spec.routes.iter().enumerate() {
        let at = format!("spec.routes[{index}]");
        findings.refuse_of_route(&at, route);
        let paths = findings.paths(&at, route);
        for path in &paths {
            if let Some((earlier, _)) = taken.iter().find(|(_, other)| other.covers(path)) {
                let message = format!(
                    "the route `{earlier}` takes these requests before, but an Ingress of the longer path, or the older one, would: \
                     put the routes in another order, or take one away"
                );
                findings.error(&at, message);
            }
        }
        taken.extend(paths.iter().map(|path| (route.name.as_str(), path.clone())));
        if let Some((service, port)) = destination(spec, route) {
            ways.push(Way { route, service, port: port.number, paths });
        }
    }
    findings.refuse()?;
    Ok(ways)
}

impl Findings {
    fn cannot(&mut self, path: impl Into<String>, why: &str) {
        self.error(path, format!("{why}: {REMEDY}"));
    }

    fn refuse_of_group(&mut self, spec: &Spec) {
        if spec.mode == Mode::Strict {
            let why = "Higress sends the requests of a canary to the main Ingress' service while the canary's has no ready pod, \
                which a strict lane must not do";
            self.cannot("spec.mode", why);
        }
        if spec.propagation() == Propagation::SourceLabels {
            self.cannot("spec.propagation", "an Ingress knows a lane by a header, and `sourceLabels` has none");
        }
        if spec.untagged() == Untagged::Reject {
            self.cannot("spec.untagged", "the main Ingress takes every request that no canary does");
        }
        if spec.retries != Retries::default() {
            self.cannot("spec.retries", "an Ingress sends requests again as Higress has it");
        }
        if spec.weights().is_some() {
            let why = "a canary by weight is no canary by header, so the hops behind would not know the lane: use `users`, or";
            self.error("spec.assign.weights", format!("{why} {REMEDY}"));
        } else if !spec.has_tag_at_gateway() {
            self.cannot("spec.clients", "no request has a tag at the gateway, so no canary would be taken");
        }
        let Some(gateway) = &spec.gateway else { return };
        if gateway.reference.is_some() {
            self.cannot("spec.gateway.ref", "an Ingress is for all of Higress' gateway");
        }
        let ports = gateway.ports();
        if ports.iter().any(|port| port.number != 80 || port.credential_name.is_some()) || ports.len() > 1 {
            let message = format!(
                "an Ingress is served on Higress' ports, with the certificate of any Ingress of its host: give one of yours `tls` and \
                 leave the ports out, or {REMEDY}"
            );
            self.error("spec.gateway.ports", message);
        }
    }

    fn refuse_of_route(&mut self, at: &str, route: &Route) {
        if route.lane.is_some() {
            let why =
                "an Ingress sends all requests with the tag of their own: name the users in `assign.users.named`, or";
            self.error(format!("{at}.lane"), format!("{why} {REMEDY}"));
        }
        let others = [
            ("timeout", route.timeout.is_some()),
            ("retries", route.retries.is_some()),
            ("rewrite", route.rewrite.is_some()),
            ("redirect", route.redirect.is_some()),
            ("cors", route.cors.is_some()),
            ("headers", route.headers.is_some()),
            ("mirror", route.mirror.is_some()),
        ];
        for (field, _) in others.into_iter().filter(|(_, is_given)| *is_given) {
            self.cannot(format!("{at}.{field}"), "an Ingress has no word for it that holds for its canaries too");
        }
    }
}
