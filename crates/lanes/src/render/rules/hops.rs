//! The rules between services: a request stays in its lane at every hop.

use super::{Action, Condition, Destination, Rule, Traffic};
use crate::document::{Lane, LaneGroup, Propagation, Service, ServicePort, Spec};

/// The rules for requests to a port of a service. The last takes everything.
pub(in super::super) fn hops(group: &LaneGroup, service: &Service, port: &ServicePort) -> Vec<Rule> {
    let spec = &group.spec;
    let rule = |name: &str, lane: &Lane, conditions: Vec<Condition>| {
        let destination = Destination::new(group, (service, port), &lane.name);
        spec.with_retries(Rule::forward(name, conditions, vec![destination]), None)
    };
    let told = group.told_lanes(service).flat_map(|lane| rule(&lane.name, lane, vec![hop(spec, lane)]));
    let rest = match spec.untagged_lane() {
        Some(lane) => rule("baseline", lane, Vec::new()),
        None => vec![reject()],
    };
    told.chain(rest).collect()
}

/// A proxy would make up a route of its own for a caller that no rule is for.
fn reject() -> Rule {
    let (name, action) = ("untagged".to_owned(), Action::Reject);
    Rule { name, conditions: Vec::new(), action, retries: None, traffic: Traffic::default() }
}

/// What a request of the lane is known by when a service sends it.
fn hop(spec: &Spec, lane: &Lane) -> Condition {
    match spec.propagation() {
        Propagation::SourceLabels => Condition { source_labels: lane.labels.clone(), ..Condition::default() },
        _ => Condition { headers: [spec.tag(lane)].into(), ..Condition::default() },
    }
}
