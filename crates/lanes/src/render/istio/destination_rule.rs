//! DestinationRules: which pods of a service are a lane's, and that a lane is whole while one of its pods is.

use serde_json::{Value, json};

use super::{
    File, Stage, lane_service, name_for,
    resource::{Kind, exports},
};
use crate::{
    document::{LaneGroup, Mode, Spec},
    render::{names::own_pods, pools::Pool},
};

const WHOLE: &str = "The outlierDetection detects nothing. Its `minHealthPercent` keeps a lane with one ready pod from spilling into the\n\
    baseline: Istio 1.31 sends pods that are not ready as well, and a team's own outlierDetection would be inherited.";

/// For VirtualServices: the subsets of every service.
pub(super) fn subsets(group: &LaneGroup) -> anyhow::Result<File> {
    let comment = format!("{}\n{WHOLE}", comment(&group.spec));
    let mut file = File::new(group, Stage::Clusters, "10-destination-rules.yaml", comment);
    for service in &group.spec.services {
        let subsets: Vec<Value> = group.pools(service).iter().flat_map(|pool| subsets_of(group, pool)).collect();
        let rule = json!({"host": group.host(service), "exportTo": exports(group), "subsets": subsets});
        file.add(Kind::DESTINATION_RULE, name_for(service), group.namespace_of(service), rule)?;
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
            let rule = json!({"host": host, "exportTo": exports(group), "trafficPolicy": whole()});
            let name = format!("{}.{pods}", service.name);
            file.add(Kind::DESTINATION_RULE, name, group.namespace_of(service), rule)?;
        }
    }
    Ok(file)
}

fn subsets_of(group: &LaneGroup, pool: &Pool) -> Vec<Value> {
    let labels = group.spec.lane(pool.lane()).map(|lane| &lane.labels);
    let subset = |name: &str| json!({"name": name, "labels": labels, "trafficPolicy": whole()});
    match pool {
        Pool::Only(lane) => vec![subset(lane)],
        // A waypoint would keep the subset's own cluster and drop the aggregate of that name: 503 instead of a fallback.
        Pool::FallingBack(lane) if group.spec.mesh.ambient => vec![subset(&own_pods(lane))],
        Pool::FallingBack(lane) => vec![subset(&own_pods(lane)), subset(lane)],
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
