//! The rules of the ingress: what enters the lanes, and which.

use super::{Action, Condition, Destination, Rule, Traffic};
use crate::document::{Lane, LaneGroup, Redirect, Route, RouteMatch, Service, ServicePort, Spec, Weight};

/// The rules of all routes, in order.
pub(in super::super) fn ingress(group: &LaneGroup) -> Vec<Rule> {
    let spec = &group.spec;
    let weights = spec.weights();
    let rules = |route: &Route| {
        if let Some(redirect) = &route.redirect {
            return vec![redirected(route, redirect)];
        }
        let Some((service, port)) = destination(spec, route) else { return Vec::new() };
        let route_to = ServiceRoute { group, route, to: (service, &port) };
        match (&route.lane, weights) {
            (Some(lane), _) => route_to.pinned(lane),
            (None, Some(weights)) => route_to.weighted(weights),
            (None, None) => route_to.by_tag(),
        }
    };
    spec.routes.iter().flat_map(rules).collect()
}

/// A route that leads to a service.
struct ServiceRoute<'a> {
    group: &'a LaneGroup,
    route: &'a Route,
    to: (&'a Service, &'a ServicePort),
}

impl ServiceRoute<'_> {
    /// The route decides, whatever the tag says, so it must set the tag for the hops that follow.
    fn pinned(&self, lane: &str) -> Vec<Rule> {
        let destination = Destination::new(self.group, self.to, lane).setting_the_tag(lane);
        self.rule(self.route.name.clone(), conditions(self.route), vec![destination])
    }

    /// Chance decides, so each destination sets its own tag.
    fn weighted(&self, weights: &[Weight]) -> Vec<Rule> {
        let destination = |share: &Weight| {
            Destination::new(self.group, self.to, &share.lane).weighing(share.weight).setting_the_tag(&share.lane)
        };
        let destinations = weights.iter().filter(|share| share.weight > 0).map(destination).collect();
        self.rule(self.route.name.clone(), conditions(self.route), destinations)
    }

    fn by_tag(&self) -> Vec<Rule> {
        let to = |name: &str, lane: &Lane, conditions: Vec<Condition>| {
            let destination = Destination::new(self.group, self.to, &lane.name);
            self.rule(format!("{}-{name}", self.route.name), conditions, vec![destination])
        };
        let spec = &self.group.spec;
        let told = self.group.told_lanes(self.to.0).map(|lane| (lane, tagged(spec, self.route, lane)));
        let told = told.filter(|(_, conditions)| !conditions.is_empty());
        let told = told.flat_map(|(lane, conditions)| to(&lane.name, lane, conditions));
        let untagged = spec.untagged_lane().into_iter().flat_map(|lane| to("baseline", lane, conditions(self.route)));
        told.chain(untagged).collect()
    }

    fn rule(&self, name: String, conditions: Vec<Condition>, destinations: Vec<Destination>) -> Vec<Rule> {
        let rule = Rule { traffic: traffic(self.route), ..Rule::forward(name, conditions, destinations) };
        let own = self.route.retries.as_ref().map(|own| (self.route.name.as_str(), own));
        self.group.spec.with_retries(rule, own)
    }
}

/// The service of a checked route, and the port.
fn destination<'a>(spec: &'a Spec, route: &Route) -> Option<(&'a Service, ServicePort)> {
    let service = spec.service(route.service.as_ref()?)?;
    let is_it = |port: &ServicePort| route.port.is_none_or(|number| port.number == number);
    Some((service, service.ports().into_iter().find(is_it)?))
}

fn redirected(route: &Route, redirect: &Redirect) -> Rule {
    let (action, traffic) = (Action::Redirect(redirect.clone()), traffic(route));
    Rule { name: route.name.clone(), conditions: conditions(route), action, retries: None, traffic }
}

fn traffic(route: &Route) -> Traffic {
    Traffic {
        timeout: route.timeout.clone(),
        rewrite: route.rewrite.clone(),
        cors: route.cors.clone(),
        headers: route.headers.clone().unwrap_or_default(),
        mirror: route.mirror.clone(),
    }
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
