//! DestinationRules: which pods of a service are a lane's, and that a lane is whole while one of its pods is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    File, Stage, lane_service, name_for,
    resource::{Kind, exports},
};
use crate::{
    document::{Lane, LaneGroup, Mode, Spec},
    render::{names::own_pods, pools::Pool},
};

const WHOLE: &str = "The outlierDetection detects nothing. Its `minHealthPercent` keeps a lane with one ready pod from spilling into the\n\
    baseline: Istio 1.31 sends pods that are not ready as well, and a team's own outlierDetection would be inherited.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DestinationRule {
    host: String,
    export_to: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic_policy: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subsets: Vec<Subset>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subset {
    name: String,
    labels: BTreeMap<String, String>,
    traffic_policy: Value,
}

/// For VirtualServices: the subsets of every service.
pub(super) fn subsets(group: &LaneGroup) -> anyhow::Result<File> {
    let comment = format!("{}\n{WHOLE}", comment(&group.spec));
    let mut file = File::new(group, Stage::Clusters, "10-destination-rules.yaml", comment);
    for service in &group.spec.services {
        let subsets = group.pools(service).iter().flat_map(|pool| subsets_of(group, pool)).collect();
        let rule =
            DestinationRule { host: group.host(service), export_to: exports(group), traffic_policy: None, subsets };
        file.add(name_for(service), group.namespace_of(service), rule)?;
    }
    Ok(file)
}

/// For Gateway API: the Services of the lanes, but those that an aggregate takes the place of.
pub(super) fn whole_lanes(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Clusters, "15-destination-rules.yaml", WHOLE);
    for service in &group.spec.services {
        for pool in group.pools(service) {
            let pods = if pool.falls_back() { own_pods(pool.lane()) } else { pool.lane().to_owned() };
            let host = lane_service::host(group, service, &pods);
            let traffic_policy = Some(whole());
            let rule = DestinationRule { host, export_to: exports(group), traffic_policy, subsets: Vec::new() };
            file.add(format!("{}.{pods}", service.name), group.namespace_of(service), rule)?;
        }
    }
    Ok(file)
}

fn subsets_of(group: &LaneGroup, pool: &Pool) -> Vec<Subset> {
    let is_it = |lane: &&Lane| lane.name == pool.lane();
    let labels = group.spec.lanes.iter().find(is_it).map(|lane| lane.labels.clone()).unwrap_or_default();
    let subset = |name: String| Subset { name, labels: labels.clone(), traffic_policy: whole() };
    match pool {
        Pool::Only(lane) => vec![subset(lane.clone())],
        // A waypoint would keep the subset's own cluster and drop the aggregate of that name: 503 instead of a fallback.
        Pool::FallingBack(lane) if group.spec.mesh.ambient => vec![subset(own_pods(lane))],
        Pool::FallingBack(lane) => vec![subset(own_pods(lane)), subset(lane.clone())],
    }
}

fn whole() -> Value {
    json!({"outlierDetection": {
        "consecutive5xxErrors": 0,
        "consecutiveGatewayErrors": 0,
        "consecutiveLocalOriginFailures": 0,
        "minHealthPercent": 1,
        "maxEjectionPercent": 0,
    }})
}

fn comment(spec: &Spec) -> String {
    match spec.mode {
        Mode::Strict => "The pods of every lane, service by service.".to_owned(),
        Mode::Permissive => format!(
            "The lanes of every service. `LANE-only` is the lane's own pods; requests are sent to `LANE`, which 20-fallback.yaml\n\
            lets fall back to {}.",
            spec.baseline
        ),
    }
}

impl Kind for DestinationRule {
    const API_VERSION: &'static str = "networking.istio.io/v1";
    const KIND: &'static str = "DestinationRule";
}
