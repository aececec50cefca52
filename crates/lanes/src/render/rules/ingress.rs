//! The rules of the ingress: what enters the lanes, and which.

use super::{Condition, Destination, Rule};
use crate::document::{Lane, LaneGroup, Route, RouteMatch, Spec, Weight};

/// The rules of all routes, in order.
pub(in super::super) fn ingress(group: &LaneGroup) -> Vec<Rule> {
    let spec = &group.spec;
    let weights = spec.assign.as_ref().and_then(|assign| assign.weights.as_deref());
    let rules = |route: &Route| match (&route.lane, weights) {
        (Some(lane), _) => pinned(spec, route, lane),
        (None, Some(weights)) => weighted(spec, route, weights),
        (None, None) => by_tag(spec, route),
    };
    spec.routes.iter().flat_map(rules).collect()
}

/// The route decides, whatever the tag says, so it must set the tag for the hops that follow.
fn pinned(spec: &Spec, route: &Route, lane: &str) -> Vec<Rule> {
    let destination = Destination::new(&route.service, lane).setting_the_tag();
    let rule = rule(route.name.clone(), conditions(route), vec![destination]);
    spec.with_retries(rule, spec.falls_back(lane))
}

/// Chance decides, so each destination sets its own tag.
fn weighted(spec: &Spec, route: &Route, weights: &[Weight]) -> Vec<Rule> {
    let weights: Vec<&Weight> = weights.iter().filter(|weight| weight.weight > 0).collect();
    let destination =
        |share: &&Weight| Destination::new(&route.service, &share.lane).weighing(share.weight).setting_the_tag();
    let destinations = weights.iter().map(destination).collect();
    let falls_back = weights.iter().any(|weight| spec.falls_back(&weight.lane));
    spec.with_retries(rule(route.name.clone(), conditions(route), destinations), falls_back)
}

fn by_tag(spec: &Spec, route: &Route) -> Vec<Rule> {
    let to = |name: &str, lane: &Lane, conditions: Vec<Condition>| {
        let destination = Destination::new(&route.service, &lane.name);
        let rule = rule(format!("{}-{name}", route.name), conditions, vec![destination]);
        spec.with_retries(rule, spec.falls_back(&lane.name))
    };
    let tagged = spec.tagged_lanes().map(|lane| (lane, tagged(spec, route, lane)));
    let tagged = tagged.filter(|(_, conditions)| !conditions.is_empty());
    let tagged = tagged.flat_map(|(lane, conditions)| to(&lane.name, lane, conditions));
    let untagged = spec.untagged_lane().into_iter().flat_map(|lane| to("baseline", lane, conditions(route)));
    tagged.chain(untagged).collect()
}

/// The route's conditions for requests of one lane. A condition on the route header itself may leave the lane out.
fn tagged(spec: &Spec, route: &Route, lane: &Lane) -> Vec<Condition> {
    let (header, tag) = spec.tag(lane);
    let conditions = conditions(route);
    let conditions = if conditions.is_empty() { vec![Condition::default()] } else { conditions };
    let allowed =
        |condition: &Condition| condition.headers.get(&header).is_none_or(|asked| asked.holds(lane.name.as_bytes()));
    let with_tag = |mut condition: Condition| {
        condition.headers.insert(header.clone(), tag.clone());
        condition
    };
    conditions.into_iter().filter(allowed).map(with_tag).collect()
}

fn rule(name: String, conditions: Vec<Condition>, destinations: Vec<Destination>) -> Rule {
    Rule { name, conditions, destinations, retries: None }
}

fn conditions(route: &Route) -> Vec<Condition> {
    let condition = |condition: &RouteMatch| {
        let headers = condition.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        Condition {
            uri: condition.uri.clone(),
            headers: headers.collect(),
            method: condition.method.clone(),
            ..Condition::default()
        }
    };
    route.r#match.iter().map(condition).collect()
}
