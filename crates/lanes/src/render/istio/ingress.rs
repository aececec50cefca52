//! The rules of the ingress: what enters the lanes, and which.

use super::virtual_service::{Destination, HttpMatch, HttpRoute};
use crate::document::{Lane, LaneGroup, Route, RouteMatch, Spec, Weight};

/// The rules of all routes, in order.
pub(super) fn rules(group: &LaneGroup) -> Vec<HttpRoute> {
    let weights = group.spec.assign.as_ref().and_then(|assign| assign.weights.as_deref());
    let rules = |route: &Route| match (&route.lane, weights) {
        (Some(lane), _) => pinned(group, route, lane),
        (None, Some(weights)) => weighted(group, route, weights),
        (None, None) => by_tag(group, route),
    };
    group.spec.routes.iter().flat_map(rules).collect()
}

/// The route decides, whatever the tag says, so it must set the tag for the hops that follow.
fn pinned(group: &LaneGroup, route: &Route, lane: &str) -> Vec<HttpRoute> {
    let spec = &group.spec;
    let destination = Destination::new(&group.host(&route.service), lane).setting(&spec.header(), lane);
    let rule = rule(route.name.clone(), conditions(route), vec![destination]);
    spec.with_retries(rule, spec.falls_back(lane))
}

/// Chance decides, so each destination sets its own tag.
fn weighted(group: &LaneGroup, route: &Route, weights: &[Weight]) -> Vec<HttpRoute> {
    let spec = &group.spec;
    let weights: Vec<&Weight> = weights.iter().filter(|weight| weight.weight > 0).collect();
    let destination = |weight: &&Weight| {
        let destination = Destination::new(&group.host(&route.service), &weight.lane);
        destination.weighing(weight.weight).setting(&spec.header(), &weight.lane)
    };
    let destinations = weights.iter().map(destination).collect();
    let falls_back = weights.iter().any(|weight| spec.falls_back(&weight.lane));
    spec.with_retries(rule(route.name.clone(), conditions(route), destinations), falls_back)
}

fn by_tag(group: &LaneGroup, route: &Route) -> Vec<HttpRoute> {
    let spec = &group.spec;
    let to = |name: &str, lane: &Lane, matches: Vec<HttpMatch>| {
        let destination = Destination::new(&group.host(&route.service), &lane.name);
        spec.with_retries(
            rule(format!("{}-{name}", route.name), matches, vec![destination]),
            spec.falls_back(&lane.name),
        )
    };
    let tagged = spec.tagged_lanes().map(|lane| (lane, tagged(spec, route, lane)));
    let tagged = tagged.filter(|(_, matches)| !matches.is_empty());
    let tagged = tagged.flat_map(|(lane, matches)| to(&lane.name, lane, matches));
    let untagged = spec.untagged_lane().into_iter().flat_map(|lane| to("baseline", lane, conditions(route)));
    tagged.chain(untagged).collect()
}

/// The route's conditions for requests of one lane. A condition on the route header itself may leave the lane out.
fn tagged(spec: &Spec, route: &Route, lane: &Lane) -> Vec<HttpMatch> {
    let (header, tag) = spec.tag(lane);
    let conditions = conditions(route);
    let conditions = if conditions.is_empty() { vec![HttpMatch::default()] } else { conditions };
    let allowed =
        |condition: &HttpMatch| condition.headers.get(&header).is_none_or(|asked| asked.holds(lane.name.as_bytes()));
    let with_tag = |mut condition: HttpMatch| {
        condition.headers.insert(header.clone(), tag.clone());
        condition
    };
    conditions.into_iter().filter(allowed).map(with_tag).collect()
}

fn rule(name: String, matches: Vec<HttpMatch>, route: Vec<Destination>) -> HttpRoute {
    HttpRoute { name, matches, route, retries: None }
}

fn conditions(route: &Route) -> Vec<HttpMatch> {
    let condition = |condition: &RouteMatch| {
        let headers = condition.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        HttpMatch {
            uri: condition.uri.clone(),
            headers: headers.collect(),
            method: condition.method.clone(),
            ..HttpMatch::default()
        }
    };
    route.r#match.iter().map(condition).collect()
}

impl Spec {
    fn header(&self) -> String {
        self.route_header.to_ascii_lowercase()
    }
}
