//! DestinationRules: which pods of a service are a lane's.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    File, Options, name_for,
    resource::{Kind, Resource},
};
use crate::{
    document::{Lane, LaneGroup, Mode, Spec},
    render::names::own_pods,
};

/// Without outlierDetection, on purpose: it would let a partly healthy lane spill into the baseline.
#[derive(Serialize)]
struct DestinationRule {
    host: String,
    subsets: Vec<Subset>,
}

#[derive(Serialize)]
struct Subset {
    name: String,
    labels: BTreeMap<String, String>,
}

/// Every service has every lane's subsets, whichever services the lane holds today.
pub(super) fn file(group: &LaneGroup, options: &Options) -> anyhow::Result<File> {
    let mut file = File::new("10-destination-rules.yaml", comment(&group.spec));
    for service in &group.spec.services {
        let subsets = group.spec.lanes.iter().flat_map(|lane| subsets(&group.spec, lane, options)).collect();
        let rule = DestinationRule { host: group.host(&service.name), subsets };
        file.add(&Resource::new(name_for(service), &group.metadata.namespace, rule))?;
    }
    Ok(file)
}

fn subsets(spec: &Spec, lane: &Lane, options: &Options) -> Vec<Subset> {
    let subset = |name: String| Subset { name, labels: lane.labels.clone() };
    if spec.mode == Mode::Strict || lane.name == spec.baseline {
        return vec![subset(lane.name.clone())];
    }
    let own = subset(own_pods(&lane.name));
    // A waypoint would keep the subset's own cluster and drop the aggregate of that name: 503 instead of a fallback.
    if options.ambient { vec![own] } else { vec![own, subset(lane.name.clone())] }
}

fn comment(spec: &Spec) -> String {
    let every = "The lanes of every service, whether or not it is in the lane today: a pod that appears later needs nothing new.";
    match spec.mode {
        Mode::Strict => "The pods of every lane, service by service.".to_owned(),
        Mode::Permissive => format!(
            "{every}\n`LANE-only` is the lane's own pods; requests are sent to `LANE`, which 20-fallback.yaml lets fall back to \
            {}.\nNo outlierDetection: it would let a partly healthy lane spill into the baseline.",
            spec.baseline
        ),
    }
}

impl Kind for DestinationRule {
    const API_VERSION: &'static str = "networking.istio.io/v1";
    const KIND: &'static str = "DestinationRule";
}
