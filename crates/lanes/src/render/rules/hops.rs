//! The rules between services: a request stays in its lane at every hop.

use super::{Condition, Destination, Rule};
use crate::document::{Lane, LaneGroup, Propagation, Service, Spec};

/// The rules for requests to a service.
pub(in super::super) fn hops(group: &LaneGroup, service: &Service) -> Vec<Rule> {
    let spec = &group.spec;
    let rule = |name: &str, lane: &Lane, conditions: Vec<Condition>| {
        let destinations = vec![Destination::new(&service.name, &lane.name)];
        let rule = Rule { name: name.to_owned(), conditions, destinations, retries: None };
        spec.with_retries(rule, spec.falls_back(&lane.name))
    };
    let tagged = spec.tagged_lanes().flat_map(|lane| rule(&lane.name, lane, vec![hop(spec, lane)]));
    let untagged = spec.untagged_lane().into_iter().flat_map(|lane| rule("baseline", lane, Vec::new()));
    tagged.chain(untagged).collect()
}

/// What a request of the lane is known by when a service sends it.
fn hop(spec: &Spec, lane: &Lane) -> Condition {
    match spec.propagation() {
        Propagation::SourceLabels => Condition { source_labels: lane.labels.clone(), ..Condition::default() },
        _ => Condition { headers: [spec.tag(lane)].into(), ..Condition::default() },
    }
}
