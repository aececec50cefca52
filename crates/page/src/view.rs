//! What the page is told of the lane group.

use lanes::{document::LaneGroup, render::envoy::Pod};
use local_mesh::{Condition, application_environment};
use serde::Serialize;

use crate::{
    group::{self, Kind, Share},
    world::World,
};

/// The lane group as it is now.
#[derive(Debug, Serialize)]
pub(crate) struct View<'a> {
    name: &'a str,
    gateway: &'a str,
    kind: Kind,
    /// Whether a pod that is absent can be started.
    startable: bool,
    mode: String,
    baseline: &'a str,
    lanes: Vec<Lane<'a>>,
    services: Vec<&'a str>,
    pods: Vec<PodView<'a>>,
    shares: Vec<Share>,
    /// How many buckets there are, where users are assigned.
    modulo: Option<u32>,
    /// Users whom the lane group names somewhere.
    named: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Lane<'a> {
    name: &'a str,
    version: String,
}

#[derive(Debug, Serialize)]
struct PodView<'a> {
    name: &'a str,
    service: &'a str,
    lane: &'a str,
    /// Whether the lane holds the service.
    is_held: bool,
    condition: String,
}

impl<'a> View<'a> {
    pub(crate) fn new(group: &'a LaneGroup, pods: &'a [Pod], gateway: &'a str, world: &dyn World) -> Self {
        let conditions = world.conditions();
        let spec = &group.spec;
        let version = |lane: &str| {
            let pod = pods.iter().find(|pod| pod.lane.name == lane);
            pod.and_then(|pod| application_environment(group, pod).remove("VERSION")).unwrap_or_default()
        };
        let lane = |lane: &'a lanes::document::Lane| Lane { name: &lane.name, version: version(&lane.name) };
        let pod = |pod: &'a Pod| PodView {
            name: &pod.name,
            service: &pod.service.name,
            lane: &pod.lane.name,
            is_held: pod.lane.services.contains(&pod.service.name),
            condition: conditions.get(&pod.name).copied().unwrap_or(Condition::Absent).to_string(),
        };
        Self {
            name: &group.metadata.name,
            gateway,
            kind: group::kind(spec),
            startable: world.starts_absent(),
            mode: format!("{:?}", spec.mode).to_lowercase(),
            baseline: &spec.baseline,
            lanes: spec.lanes.iter().map(lane).collect(),
            services: spec.services.iter().map(|service| service.name.as_str()).collect(),
            pods: pods.iter().map(pod).collect(),
            shares: group::shares(spec),
            modulo: spec.users().map(|users| users.modulo),
            named: named(group),
        }
    }
}

/// By `named`, or by a route of their own.
fn named(group: &LaneGroup) -> Vec<&str> {
    let Some(users) = group.spec.users() else { return Vec::new() };
    let header = users.identity.first().and_then(|identity| identity.header.as_ref());
    let conditions = group.spec.routes.iter().flat_map(|route| &route.r#match).flat_map(|condition| &condition.headers);
    let routed = conditions.filter_map(|(name, value)| match value {
        lanes::document::StringMatch::Exact(value) if header.is_some_and(|header| header == name) => Some(value),
        _ => None,
    });
    users.named.iter().flat_map(|named| &named.values).chain(routed).map(String::as_str).collect()
}
