//! EnvoyFilters: a permissive lane's subset falls back to the baseline.

use serde::Serialize;
use serde_json::json;

use super::{
    File, Options, ambient, name_for,
    resource::{Kind, Resource, TargetRef},
};
use crate::document::{LaneGroup, Service};

mod aggregate;

pub(super) use aggregate::Aggregate;

/// The namespace whose EnvoyFilters every sidecar and gateway gets.
const ROOT_NAMESPACE: &str = "istio-system";
const COMMENT: &str = "Permissive lanes: the cluster of a lane's subset is an aggregate over the lane's own pods and, while it has none, the\n\
    baseline's. Without this file the lanes are strict: 503 where one lacks a service. It is applied before the\n\
    VirtualServices, and removed after them.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvoyFilter {
    /// What it is for; every proxy if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) target_refs: Vec<TargetRef>,
    pub(super) config_patches: Vec<ConfigPatch>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigPatch {
    apply_to: &'static str,
    r#match: PatchMatch,
    patch: Patch,
}

#[derive(Serialize)]
struct PatchMatch {
    context: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ClusterMatch>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterMatch {
    service: String,
    port_number: u16,
    subset: String,
}

#[derive(Serialize)]
struct Patch {
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Aggregate>,
}

/// One EnvoyFilter per service, with the patches of all its lanes.
pub(super) fn file(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let mut file = File::new("20-fallback.yaml", COMMENT);
    let spec = &group.spec;
    if !spec.lanes.iter().any(|lane| spec.falls_back(&lane.name)) {
        return Ok(file);
    }
    for service in &spec.services {
        let config_patches = patches(group, service, options);
        let name = format!("{}-{}", group.metadata.namespace, name_for(service));
        let filter = EnvoyFilter { target_refs: Vec::new(), config_patches };
        file.add(&Resource::new(name, ROOT_NAMESPACE, filter))?;
    }
    if options.ambient {
        ambient::add_to(&mut file, group)?;
    }
    Ok(file)
}

fn patches(group: &LaneGroup, service: &Service, options: &Options) -> Vec<ConfigPatch> {
    let host = group.host(&service.name);
    let cluster = |subset: &str| group.cluster(service, subset);
    let lanes = group.spec.lanes.iter().filter(|lane| group.spec.falls_back(&lane.name));
    let patches = lanes.flat_map(|lane| {
        let services = json!([{"host": host, "name": service.name, "namespace": group.metadata.namespace}]);
        let aggregate = Aggregate::new(&lane.name, &group.spec.baseline, service.protocol, cluster).telling(services);
        // Merging is not possible: what Istio generates for the subset's endpoints would remain, and Envoy refuses it.
        let removal = (!options.ambient).then(|| removal(&host, service.port, &lane.name));
        removal.into_iter().chain([addition("ANY", aggregate)])
    });
    patches.collect()
}

fn removal(host: &str, port: u16, lane: &str) -> ConfigPatch {
    let cluster = ClusterMatch { service: host.to_owned(), port_number: port, subset: lane.to_owned() };
    patch("ANY", Some(cluster), Patch { operation: "REMOVE", value: None })
}

pub(super) fn addition(context: &'static str, aggregate: Aggregate) -> ConfigPatch {
    patch(context, None, Patch { operation: "ADD", value: Some(aggregate) })
}

fn patch(context: &'static str, cluster: Option<ClusterMatch>, patch: Patch) -> ConfigPatch {
    ConfigPatch { apply_to: "CLUSTER", r#match: PatchMatch { context, cluster }, patch }
}

impl Kind for EnvoyFilter {
    const API_VERSION: &'static str = "networking.istio.io/v1alpha3";
    const KIND: &'static str = "EnvoyFilter";
}
