//! What is written, and in which order: after every single write, nothing is named that is not there.

mod changes;
mod cluster;
mod steps;

use lanes::{
    document::LaneGroup,
    rollout::{Pass, Resource, Step, Wanted, plan},
};

use crate::Change;
use cluster::Cluster;

const API: Change = ("  mode:", "  mesh: {routing: gatewayAPI}\n  mode:");

fn rendered(group: &LaneGroup) -> Vec<Resource> {
    crate::resources(group).into_iter().map(|resource| Resource::new(resource).unwrap()).collect()
}

/// The steps from what is there to what is wanted, when the server adds nothing of its own.
fn planned(there: &Cluster, wanted: &[Resource]) -> Vec<Step> {
    let there: Vec<Resource> = there.resources().cloned().collect();
    let as_held = |resource: &Resource| Wanted { rendered: resource.clone(), held: resource.clone() };
    plan(&there, &wanted.iter().map(as_held).collect::<Vec<_>>())
}

fn names(steps: &[Step]) -> Vec<String> {
    let name = |step: &Step| match step.pass {
        Pass::Widen => format!("+{}", step.wave.name()),
        Pass::Narrow => format!("-{}", step.wave.name()),
    };
    steps.iter().map(name).collect()
}
