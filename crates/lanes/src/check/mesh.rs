//! The mesh, and what its routing cannot say.

use std::collections::BTreeMap;

use super::{Findings, names::LONGEST};
use crate::{
    document::{Filters, LaneGroup, Propagation, Routing, StringMatch},
    render::lane_service,
};

impl Findings {
    pub(super) fn mesh(&mut self, group: &LaneGroup) {
        let mesh = &group.spec.mesh;
        self.name("spec.mesh.rootNamespace", &mesh.root_namespace);
        self.domain("spec.mesh.clusterDomain", &mesh.cluster_domain);
        for (index, namespace) in mesh.callers.iter().enumerate() {
            self.name(&format!("spec.mesh.callers[{index}]"), namespace);
        }
        match mesh.routing {
            Routing::VirtualService => {}
            Routing::GatewayApi => self.gateway_api(group),
        }
        if mesh.ambient {
            self.ambient(group);
        }
    }

    pub(super) fn filters(&mut self, filters: &Filters) {
        if let Some(name) = &filters.pull_secret {
            self.resource_name("spec.filters.pullSecret", name);
        }
        if filters.image.as_ref().is_some_and(String::is_empty) {
            self.error("spec.filters.image", "expected a url, such as `oci://registry.example.com/{module}:1.0`");
        }
    }

    fn gateway_api(&mut self, group: &LaneGroup) {
        let spec = &group.spec;
        if spec.propagation() == Propagation::SourceLabels {
            let message = "an HTTPRoute does not see the labels of the calling pod, by which `sourceLabels` (the default in \
                strict mode) decides: with `routing: gatewayAPI` choose trace, baggage or application, or use \
                `routing: virtualService`";
            self.error("spec.propagation", message);
        }
        self.http_routes(group, "`routing: gatewayAPI`");
    }

    /// What HTTPRoutes, and a Service for each lane, cannot do. `with` says why there are such.
    pub(crate) fn http_routes(&mut self, group: &LaneGroup, with: &str) {
        let spec = &group.spec;
        self.lane_services(group, with);
        for (index, route) in spec.routes.iter().enumerate() {
            let path = format!("spec.routes[{index}]");
            let is_exact = |uri: Option<&StringMatch>| matches!(uri, Some(StringMatch::Exact(_)));
            let all_exact = !route.r#match.is_empty() && route.r#match.iter().all(|m| is_exact(m.uri.as_ref()));
            if route.rewrite.as_ref().is_some_and(|rewrite| rewrite.uri.is_some()) && !all_exact {
                let message = format!(
                    "an HTTPRoute rewrites what it has matched by whole segments, a prefix here is any beginning: with {with} a path \
                    can be rewritten where `uri` is `exact`"
                );
                self.error(format!("{path}.rewrite.uri"), message);
            }
        }
    }

    /// A Service for each lane of each service, beside the services themselves. `with` says why there is.
    pub(crate) fn lane_services(&mut self, group: &LaneGroup, with: &str) {
        let services = &group.spec.services;
        let is_valid = group.spec.lane(&group.spec.baseline).is_some();
        let mut taken: BTreeMap<(&str, String), String> = BTreeMap::new();
        for service in services {
            let what = format!("the service `{}`", service.name);
            taken.insert((group.namespace_of(service), service.name.clone()), what);
        }
        for (index, service) in services.iter().enumerate().filter(|_| is_valid) {
            for (name, lane) in lane_service::names(group, service) {
                let path = format!("spec.services[{index}].name");
                if name.len() > LONGEST {
                    let message = format!(
                        "the Service of its lane `{lane}` would be called `{name}`, which is longer than {LONGEST} characters: \
                        a shorter name of the lane is needed with {with}"
                    );
                    self.error(path.as_str(), message);
                }
                let what = format!("the lane `{lane}` of `{}`", service.name);
                if let Some(other) = taken.insert((group.namespace_of(service), name.clone()), what) {
                    let message = format!(
                        "the Service of its lane `{lane}` would be called `{name}`, as that of {other}: another name of a lane is \
                        needed with {with}"
                    );
                    self.error(path, message);
                }
            }
        }
    }

    fn ambient(&mut self, group: &LaneGroup) {
        let spec = &group.spec;
        if spec.mesh.routing == Routing::GatewayApi {
            let message = "a waypoint keeps the cluster of a lane's Service, so no lane could fall back: with `ambient` use \
                `routing: virtualService`";
            self.error("spec.mesh.ambient", message);
        }
        let why = match spec.propagation() {
            Propagation::Application => return,
            Propagation::SourceLabels => "a waypoint does not see the labels of the calling pod",
            Propagation::Trace(_) | Propagation::Baggage(_) => {
                "its filter needs to see what enters a pod and what leaves it, which no waypoint does"
            }
        };
        let message = format!(
            "{why}: with `ambient` only `application` is possible, which needs the application to forward `{}`",
            spec.route_header
        );
        self.error("spec.propagation", message);
    }
}
