//! Backends of Envoy Gateway: what a lane falls back by.
//!
//! A rule that refers to two Backends is one cluster, in which the one that is a fallback has the lower priority
//! (`processBackendDestinationSetting` in internal/gatewayapi/route.go). Services would not do: one without a ready pod leaves the rule
//! (`failedNoReadyEndpoints` there), and beside a Backend it gets a cluster of its own, chosen by weight (`HasMixedEndpoints` in
//! internal/ir/xds.go).

use serde_json::{Value, json};

use super::super::{File, Stage, lane_service, resource::Kind};
use crate::{
    document::{LaneGroup, Protocol, Service, ServicePort, TargetPort},
    json::given,
    render::rules::Destination,
};

/// The kind.
pub(in super::super) const KIND: &str = "Backend";
const GROUP: &str = "gateway.envoyproxy.io";
const COMMENT: &str = "The pods of a lane, and those of the baseline that it falls back to: addresses that DNS has for their headless Services.\n\
    Envoy Gateway takes Backends if its configuration says so (`extensionApis.enableBackend`).";

/// The pods of a lane behind a port.
pub(in super::super) struct Backend {
    pub(in super::super) name: String,
    lane: String,
    port: ServicePort,
    is_fallback: bool,
}

pub(super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Clusters, "20-backends.yaml", COMMENT);
    for service in &group.spec.services {
        for backend in of_service(group, service) {
            file.add(Kind::BACKEND, &backend.name, group.namespace_of(service), backend.spec(group, service))?;
        }
    }
    Ok(file)
}

/// The lanes that fall back, and the baseline.
pub(in super::super) fn of_service(group: &LaneGroup, service: &Service) -> Vec<Backend> {
    let pools = group.pools(service);
    let falling = pools.iter().filter(|pool| pool.falls_back()).map(|pool| pool.lane());
    let baseline = falling.clone().next().map(|_| group.spec.baseline.as_str());
    let lanes: Vec<(&str, bool)> = falling.map(|lane| (lane, false)).chain(baseline.map(|lane| (lane, true))).collect();
    let of_port = |port: ServicePort| {
        let backend = |(lane, is_fallback): &(&str, bool)| Backend {
            name: name(service, lane, &port),
            lane: (*lane).to_owned(),
            port: port.clone(),
            is_fallback: *is_fallback,
        };
        lanes.iter().map(backend).collect::<Vec<_>>()
    };
    service.ports().into_iter().flat_map(of_port).collect()
}

/// A lane's own Backend, and the one that it falls back to.
pub(in super::super) fn names(group: &LaneGroup, to: &Destination) -> [String; 2] {
    [to.pool.lane(), &group.spec.baseline].map(|lane| name(&to.service, lane, &to.port))
}

pub(in super::super) fn reference(name: &str, namespace: Option<&str>) -> Value {
    given(json!({"group": GROUP, "kind": KIND, "name": name, "namespace": namespace}))
}

fn name(service: &Service, lane: &str, port: &ServicePort) -> String {
    let name = lane_service::name(service, lane);
    if service.ports().len() == 1 { name } else { format!("{name}.{}", port.number) }
}

impl Backend {
    fn spec(&self, group: &LaneGroup, service: &Service) -> Value {
        // A headless Service has no port: the addresses are the pods'.
        let port = match self.port.target_port {
            Some(TargetPort::Number(number)) => number,
            Some(TargetPort::Name(_)) | None => self.port.number,
        };
        let fqdn = json!({"hostname": lane_service::host(group, service, &self.lane), "port": port});
        let protocols = match self.port.protocol {
            Protocol::Http => None,
            Protocol::Http2 | Protocol::Grpc => Some(["gateway.envoyproxy.io/h2c"]),
        };
        let fallback = self.is_fallback.then_some(true);
        given(
            json!({"type": "Endpoints", "endpoints": [{"fqdn": fqdn}], "appProtocols": protocols, "fallback": fallback}),
        )
    }
}
