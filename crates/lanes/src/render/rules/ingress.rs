//! The rules of the ingress: what enters the lanes, and which.

use super::{Action, Condition, Copies, Destination, Rule, Traffic};
use crate::{
    document::{Lane, LaneGroup, Redirect, Route, RouteMatch, Service, ServicePort, Spec, StringMatch, Weight},
    tagging,
};

/// An identity that is not empty.
const ANYBODY: &str = ".+";

/// The rules of all routes, in order.
pub(in super::super) fn ingress(group: &LaneGroup) -> Vec<Rule> {
    let spec = &group.spec;
    let weights = spec.weights();
    let rules = |route: &Route| {
        let conditions = conditions(route);
        let is_possible = |condition: &Condition| spec.may_hold(condition);
        let possible: Vec<Condition> = conditions.iter().filter(|one| is_possible(one)).cloned().collect();
        if possible.is_empty() && !conditions.is_empty() {
            return Vec::new();
        }
        if let Some(redirect) = &route.redirect {
            return vec![redirected(route, possible, redirect)];
        }
        let Some((service, port)) = destination(spec, route) else { return Vec::new() };
        let route_to = ServiceRoute { group, route, conditions: possible, to: (service, &port) };
        match (&route.lane, weights) {
            (Some(lane), _) => route_to.pinned(lane),
            (None, Some(weights)) => route_to.weighted(weights),
            (None, None) if spec.native_users().is_some() => route_to.by_user(),
            (None, None) => route_to.by_what_came(),
        }
    };
    spec.routes.iter().flat_map(rules).collect()
}

/// Whether no request gets in.
pub(crate) fn ingress_is_empty(group: &LaneGroup) -> bool {
    ingress(group).is_empty()
}

/// A route that leads to a service.
struct ServiceRoute<'a> {
    group: &'a LaneGroup,
    route: &'a Route,
    /// The route's.
    conditions: Vec<Condition>,
    to: (&'a Service, &'a ServicePort),
}

impl ServiceRoute<'_> {
    /// The route decides, whatever the tag says, so it must set the tag for the hops that follow.
    fn pinned(&self, lane: &str) -> Vec<Rule> {
        let destination = Destination::new(self.group, self.to, lane).setting_the_tag(lane);
        self.rule(self.route.name.clone(), self.conditions.clone(), vec![destination], Some(lane))
    }

    /// Chance decides, so each destination sets its own tag.
    fn weighted(&self, weights: &[Weight]) -> Vec<Rule> {
        let destination = |share: &Weight| {
            Destination::new(self.group, self.to, &share.lane).weighing(share.weight).setting_the_tag(&share.lane)
        };
        let destinations = weights.iter().filter(|share| share.weight > 0).map(destination).collect();
        self.rule(self.route.name.clone(), self.conditions.clone(), destinations, None)
    }

    /// The user decides: by name, else by the hash of who it is. Without, the request is as one that nobody assigns.
    fn by_user(&self) -> Vec<Rule> {
        let group = self.group;
        let Some((users, header)) = group.spec.native_users() else { return Vec::new() };
        let header = header.to_ascii_lowercase();
        // Another group at the gateway may call its routes the same.
        let name = format!("{}.{}.{}", group.metadata.namespace, group.metadata.name, self.route.name);
        let named = users.named.iter().flat_map(|named| {
            let who = named.values.iter().flat_map(|value| self.with(&header, &StringMatch::Exact(value.clone())));
            let destination = Destination::new(group, self.to, &named.lane).setting_the_tag(&named.lane);
            self.rule(format!("{name}-{}", named.lane), who.collect(), vec![destination], None)
        });
        let part = |(lane, buckets): (String, u32)| {
            Destination::new(group, self.to, &lane).weighing(buckets).setting_the_tag(&lane)
        };
        let parts = tagging::parts(users, &group.spec.baseline).into_iter().map(part).collect();
        let anybody = self.with(&header, &StringMatch::Regex(ANYBODY.to_owned()));
        let hashed = self.rule(name.clone(), anybody, parts, None).into_iter();
        let hashed = hashed.map(|rule| Rule { hashed: Some(header.clone()), ..rule });
        named.chain(hashed).chain(self.by_what_came()).collect()
    }

    fn by_what_came(&self) -> Vec<Rule> {
        if self.group.spec.has_tag_at_gateway() { self.by_tag() } else { self.untagged() }
    }

    fn by_tag(&self) -> Vec<Rule> {
        let told = self.told_lanes().map(|lane| (lane, self.tagged(lane)));
        let told = told.filter(|(_, conditions)| !conditions.is_empty());
        let told = told.flat_map(|(lane, conditions)| self.to(&lane.name, lane, conditions));
        let untagged = self.group.spec.untagged_lane().into_iter();
        told.chain(untagged.flat_map(|lane| self.to("baseline", lane, self.conditions.clone()))).collect()
    }

    /// Nobody is in a mirrored lane. Where there is one, the baseline's rule must hold no request of another lane that the
    /// baseline answers as well: that is not copied.
    fn told_lanes(&self) -> impl Iterator<Item = &Lane> {
        let spec = &self.group.spec;
        let is_mirroring = spec.mirrored().next().is_some();
        let told: Vec<&str> = self.group.told_lanes(self.to.0).map(|lane| lane.name.as_str()).collect();
        let is_told =
            move |lane: &&Lane| told.contains(&lane.name.as_str()) || (is_mirroring && lane.name != spec.baseline);
        spec.lanes.iter().filter(|lane| lane.mirror.is_none()).filter(is_told)
    }

    /// Whatever tag the client sends, it has none.
    fn untagged(&self) -> Vec<Rule> {
        let untagged = self.group.spec.untagged_lane().into_iter();
        let mut rules: Vec<Rule> =
            untagged.flat_map(|lane| self.to("baseline", lane, self.conditions.clone())).collect();
        rules.iter_mut().for_each(|rule| rule.traffic.headers.request.remove.push(self.group.spec.header()));
        rules
    }

    fn to(&self, name: &str, lane: &Lane, conditions: Vec<Condition>) -> Vec<Rule> {
        let destination = Destination::new(self.group, self.to, &lane.name);
        self.rule(format!("{}-{name}", self.route.name), conditions, vec![destination], Some(&lane.name))
    }

    /// The route's conditions, and one more; the check has refused those on the same header.
    fn with(&self, header: &str, value: &StringMatch) -> Vec<Condition> {
        let conditions = if self.conditions.is_empty() { vec![Condition::default()] } else { self.conditions.clone() };
        let with = |mut condition: Condition| {
            condition.headers.insert(header.to_owned(), value.clone());
            condition
        };
        conditions.into_iter().map(with).collect()
    }

    /// The route's conditions for requests of one lane. A condition on the route header itself may leave the lane out.
    fn tagged(&self, lane: &Lane) -> Vec<Condition> {
        let (header, tag) = self.group.spec.tag(lane);
        let conditions = if self.conditions.is_empty() { vec![Condition::default()] } else { self.conditions.clone() };
        let allowed = |condition: &Condition| {
            condition.headers.get(&header).is_none_or(|asked| asked.holds(lane.name.as_bytes()))
        };
        let with_tag = |mut condition: Condition| {
            condition.headers.insert(header.clone(), tag.clone());
            condition
        };
        conditions.into_iter().filter(allowed).map(with_tag).collect()
    }

    /// A rule for requests of a lane, if they are all of one.
    fn rule(
        &self,
        name: String,
        conditions: Vec<Condition>,
        destinations: Vec<Destination>,
        lane: Option<&str>,
    ) -> Vec<Rule> {
        let copies = if lane == Some(&self.group.spec.baseline) { self.copies() } else { Vec::new() };
        let traffic = Traffic { copies, ..traffic(self.route) };
        let rule = Rule { traffic, ..Rule::forward(name, conditions, destinations) };
        let own = self.route.retries.as_ref().map(|own| (self.route.name.as_str(), own));
        self.group.spec.with_retries(rule, own)
    }

    /// What mirrored lanes get of the baseline's requests.
    fn copies(&self) -> Vec<Copies> {
        let to = |lane: &Lane| Destination::new(self.group, self.to, &lane.name).setting_the_tag(&lane.name);
        self.group.spec.mirrored().map(|(lane, percent)| Copies { to: to(lane), percent }).collect()
    }
}

/// The service of a checked route, and the port.
pub(in super::super) fn destination<'a>(spec: &'a Spec, route: &Route) -> Option<(&'a Service, ServicePort)> {
    let service = spec.service(route.service.as_ref()?)?;
    let is_it = |port: &ServicePort| route.port.is_none_or(|number| port.number == number);
    Some((service, service.ports().into_iter().find(is_it)?))
}

fn redirected(route: &Route, conditions: Vec<Condition>, redirect: &Redirect) -> Rule {
    let (action, traffic) = (Action::Redirect(redirect.clone()), traffic(route));
    Rule { name: route.name.clone(), conditions, action, hashed: None, retries: None, traffic }
}

impl Spec {
    /// Whether a condition of the gateway can hold: not one on the route header if no request has it.
    fn may_hold(&self, condition: &Condition) -> bool {
        self.has_tag_at_gateway() || !condition.headers.contains_key(&self.header())
    }
}

fn traffic(route: &Route) -> Traffic {
    Traffic {
        timeout: route.timeout.clone(),
        rewrite: route.rewrite.clone(),
        cors: route.cors.clone(),
        headers: route.headers.clone().unwrap_or_default(),
        mirror: route.mirror.clone(),
        copies: Vec::new(),
    }
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
