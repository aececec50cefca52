//! EnvoyFilters: a permissive lane's subset falls back to the baseline.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    File, Stage, ambient, lane_service,
    resource::{Kind, TargetRef},
};
use crate::document::{LaneGroup, Routing, Service, ServicePort};

mod aggregate;
mod retries;

pub(super) use aggregate::Aggregate;
pub(super) use retries::file as retries;

/// Behind those of others, which are 0 unless they say so: what they change of a cluster that is replaced here is gone.
const PRIORITY: i32 = 10;
const COMMENT: &str = "Permissive lanes: the cluster that a lane's requests go to is an aggregate over the lane's own pods and, while it has\n\
    none, the baseline's. Without this file the lanes are strict: 503 where one lacks a service. It is applied before the\n\
    routes, and removed after them.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvoyFilter {
    priority: i32,
    /// What it is for; every proxy if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    target_refs: Vec<TargetRef>,
    config_patches: Vec<ConfigPatch>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigPatch {
    apply_to: &'static str,
    r#match: Value,
    patch: Patch,
}

#[derive(Serialize)]
struct Patch {
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

/// One EnvoyFilter per service, with the patches of all its lanes.
pub(super) fn fallback(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Clusters, "20-fallback.yaml", COMMENT);
    for service in &group.spec.services {
        let patches = patches(group, service)?;
        if !patches.is_empty() {
            let name = format!("{}.{}.lanes", group.namespace_of(service), service.name);
            file.add(name, &group.spec.mesh.root_namespace, EnvoyFilter::new(patches))?;
        }
    }
    if group.spec.mesh.ambient {
        ambient::add_to(&mut file, group)?;
    }
    Ok(file)
}

impl EnvoyFilter {
    pub(super) fn new(config_patches: Vec<ConfigPatch>) -> Self {
        Self { priority: PRIORITY, target_refs: Vec::new(), config_patches }
    }

    pub(super) fn of(self, target: TargetRef) -> Self {
        Self { target_refs: vec![target], ..self }
    }
}

impl ConfigPatch {
    pub(super) fn addition(context: &'static str, aggregate: &Aggregate) -> anyhow::Result<Self> {
        let patch = Patch { operation: "ADD", value: Some(serde_json::to_value(aggregate)?) };
        Ok(Self { apply_to: "CLUSTER", r#match: json!({ "context": context }), patch })
    }

    fn removal(cluster: Value) -> Self {
        let patch = Patch { operation: "REMOVE", value: None };
        Self { apply_to: "CLUSTER", r#match: json!({"context": "ANY", "cluster": cluster}), patch }
    }
}

fn patches(group: &LaneGroup, service: &Service) -> anyhow::Result<Vec<ConfigPatch>> {
    let mut patches = Vec::new();
    for port in service.ports() {
        for pool in group.pools(service).iter().filter(|pool| pool.falls_back()) {
            let Replaced { cluster, host, name } = Replaced::new(group, service, &port, pool.lane());
            // Merging is not possible: what Istio generates for the cluster's endpoints would remain, and Envoy refuses it.
            if !group.spec.mesh.ambient {
                patches.push(ConfigPatch::removal(cluster));
            }
            let named = |pods: &str| match group.spec.mesh.routing {
                Routing::VirtualService => group.cluster(service, &port, pods),
                Routing::GatewayApi => lane_service::cluster(group, service, &port, pods),
            };
            let services = json!([{"host": host, "name": name, "namespace": group.namespace_of(service)}]);
            let aggregate = Aggregate::new(pool.lane(), &group.spec.baseline, port.protocol, named).telling(services);
            patches.push(ConfigPatch::addition("ANY", &aggregate)?);
        }
    }
    Ok(patches)
}

/// The cluster of Istio's that an aggregate takes the place of.
struct Replaced {
    cluster: Value,
    host: String,
    name: String,
}

impl Replaced {
    fn new(group: &LaneGroup, service: &Service, port: &ServicePort, lane: &str) -> Self {
        match group.spec.mesh.routing {
            Routing::VirtualService => {
                let host = group.host(service);
                let cluster = json!({"service": host, "portNumber": port.number, "subset": lane});
                Self { cluster, host, name: service.name.clone() }
            }
            Routing::GatewayApi => {
                let cluster = json!({"name": lane_service::cluster(group, service, port, lane)});
                let host = lane_service::host(group, service, lane);
                Self { cluster, host, name: lane_service::name(service, lane) }
            }
        }
    }
}

impl Kind for EnvoyFilter {
    const API_VERSION: &'static str = "networking.istio.io/v1alpha3";
    const KIND: &'static str = "EnvoyFilter";
}
