//! The rules of the lanes that are in force.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    asm::{IngressRule, RequestMatch, SwimLane, TextMatch},
    group::Importer,
    resources::{Place, Resource},
};
use crate::{
    document::{RouteMatch, StringMatch},
    yaml::{child, element},
};

const EVERY_HOST: &str = "*";

/// A rule of a lane.
pub(super) struct Rule<'a> {
    pub(super) lane: &'a str,
    pub(super) name: &'a str,
    pub(super) service: &'a str,
    /// What it asks of a request; none if it takes all.
    pub(super) condition: Option<RouteMatch>,
    /// The same but for the route header.
    pub(super) base: Option<RouteMatch>,
    /// What it asks of the route header.
    pub(super) tag: Tag,
    pub(super) hosts: Vec<String>,
    pub(super) place: &'a Place<'a>,
    pub(super) path: String,
}

/// What a rule asks of the route header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tag {
    /// Nothing.
    None,
    /// The name of its lane.
    Own,
    /// Something else.
    Other,
}

impl<'a> Importer<'a> {
    /// The rules of all lanes that are in force.
    pub(super) fn rules(&mut self, route_header: &str) -> Vec<Rule<'a>> {
        let mut rules = Vec::new();
        for lane in self.lanes.clone() {
            if lane.object.spec.ingress_weight.weight > 0 {
                let message =
                    "the group goes by rules, so the weight is not in force: it would be one of spec.assign.weights";
                self.lost(&lane.place, "spec.ingressWeight", message);
            }
            for (index, rule) in lane.object.spec.ingress_rules.iter().enumerate() {
                rules.extend(self.rule(lane, &element("spec.ingressRules", index), rule, route_header));
            }
        }
        if rules.is_empty() {
            let message = "no rule of any lane is in force, so nothing enters the lanes: add spec.routes";
            self.lost(&self.group.place, "", message);
        }
        rules
    }

    fn rule(
        &mut self,
        lane: &'a Resource<'a, SwimLane>,
        path: &str,
        rule: &'a IngressRule,
        route_header: &str,
    ) -> Option<Rule<'a>> {
        if !rule.online {
            let message =
                format!("the rule `{}` is not online: add it to spec.routes when it is to be in force", rule.name);
            self.lost(&lane.place, path, message);
            return None;
        }
        let service = self.destination(&lane.place, &child(path, "route.destination"), &rule.route.destination.host)?;
        let condition = self.condition(&lane.place, &child(path, "match"), &rule.r#match)?;
        let (base, tag) = without(condition.as_ref(), route_header, lane.name());
        let hosts = if rule.hosts.is_empty() { vec![EVERY_HOST.to_owned()] } else { rule.hosts.clone() };
        let (lane, name, place, path) = (lane.name(), rule.name.as_str(), &lane.place, path.to_owned());
        Some(Rule { lane, name, service, condition, base, tag, hosts, place, path })
    }

    /// The service that requests go to; none, and a note, if it is not of the group.
    pub(super) fn destination(&mut self, place: &Place<'_>, path: &str, host: &str) -> Option<&'a str> {
        let service = self.service_of(host);
        if service.is_none() {
            let message = match host {
                "" => "names no service, so the rule leads nowhere: add it to spec.routes with its service".to_owned(),
                host => format!(
                    "`{host}` is no service of the group in the namespace `{}`: a route leads to one of spec.services",
                    self.namespace
                ),
            };
            self.lost(place, path, message);
        }
        service
    }

    /// What is asked of a request, or `Some(None)` for nothing; `None`, and a note, if that cannot be said.
    pub(super) fn condition(
        &mut self,
        place: &Place<'_>,
        path: &str,
        asked: &RequestMatch,
    ) -> Option<Option<RouteMatch>> {
        if asked.is_empty() {
            return Some(None);
        }
        let uri = if asked.uri.is_empty() { None } else { Some(self.text(place, &child(path, "uri"), &asked.uri)?) };
        let mut headers = BTreeMap::new();
        for (name, text) in &asked.headers {
            headers.insert(name.clone(), self.text(place, &format!("{path}.headers.{name}"), text)?);
        }
        Some(Some(RouteMatch { uri, headers, method: None }))
    }

    fn text(&mut self, place: &Place<'_>, path: &str, text: &TextMatch) -> Option<StringMatch> {
        match (text.exact.as_str(), text.prefix.as_str(), text.regex.as_str()) {
            (exact, "", "") if !exact.is_empty() => Some(StringMatch::Exact(exact.to_owned())),
            ("", prefix, "") if !prefix.is_empty() => Some(StringMatch::Prefix(prefix.to_owned())),
            ("", "", regex) if !regex.is_empty() => Some(StringMatch::Regex(regex.to_owned())),
            ("", "", "") => {
                let message = "a header of which nothing is asked must be there, as in Istio: `regex: .*`";
                self.assume(place, path, "routes", message);
                Some(StringMatch::Regex(".*".to_owned()))
            }
            _ => {
                let message =
                    "several of `exact`, `prefix` and `regex`, so the rule says no one thing: add it to spec.routes";
                self.lost(place, path, message);
                None
            }
        }
    }

    /// The hosts that the gateway serves: those of all rules, as routes have none of their own.
    pub(super) fn hosts(&mut self, rules: &[Rule<'_>]) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        for host in rules.iter().flat_map(|rule| &rule.hosts) {
            if !hosts.contains(host) {
                hosts.push(host.clone());
            }
        }
        if hosts.iter().any(|host| host == EVERY_HOST) || hosts.is_empty() {
            hosts = vec![EVERY_HOST.to_owned()];
        }
        for rule in rules {
            let of = |hosts: &[String]| hosts.iter().cloned().collect::<BTreeSet<_>>();
            if of(&rule.hosts) != of(&hosts) && !rule.hosts.iter().any(|host| host == EVERY_HOST) {
                let message = format!(
                    "the rule is for {} only, and the routes of a lane group for all hosts of its gateway: {}; give those \
                    hosts a lane group of their own",
                    rule.hosts.join(", "),
                    hosts.join(", ")
                );
                self.lost(rule.place, &child(&rule.path, "hosts"), message);
            }
        }
        hosts
    }
}

// === impl Rule ===

impl Rule<'_> {
    /// Whether both ask the same of a request, each for its own lane.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        (self.service, &self.base, self.tag, &self.hosts) == (other.service, &other.base, other.tag, &other.hosts)
            && (self.tag != Tag::Other || self.condition == other.condition)
    }

    /// Whether no request is taken by both, as far as exact texts and prefixes show.
    pub(super) fn is_apart_from(&self, other: &Self) -> bool {
        let (Some(own), Some(other)) = (&self.condition, &other.condition) else { return false };
        let is_uri = matches!((&own.uri, &other.uri), (Some(own), Some(other)) if excludes(own, other));
        let same = |name: &str| other.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let is_header =
            |(name, text): (&String, &StringMatch)| same(name).is_some_and(|(_, other)| excludes(text, other));
        is_uri || own.headers.iter().any(is_header)
    }

    /// The lanes that have such a rule.
    pub(super) fn lanes<'r>(&self, rules: &'r [Self]) -> BTreeSet<&'r str> {
        rules.iter().filter(|other| other.is_alike(self)).map(|other| other.lane).collect()
    }
}

/// Whether no text matches both.
fn excludes(one: &StringMatch, other: &StringMatch) -> bool {
    match (one, other) {
        (StringMatch::Exact(one), StringMatch::Exact(other)) => one != other,
        (StringMatch::Exact(text), StringMatch::Prefix(prefix))
        | (StringMatch::Prefix(prefix), StringMatch::Exact(text)) => !text.starts_with(prefix),
        (StringMatch::Prefix(one), StringMatch::Prefix(other)) => !one.starts_with(other) && !other.starts_with(one),
        (StringMatch::Regex(_), _) | (_, StringMatch::Regex(_)) => false,
    }
}

/// A condition but for the route header, and what is asked of that.
fn without(condition: Option<&RouteMatch>, route_header: &str, lane: &str) -> (Option<RouteMatch>, Tag) {
    let Some(condition) = condition else { return (None, Tag::None) };
    let mut base = condition.clone();
    let mut tag = Tag::None;
    base.headers.retain(|name, text| {
        let is_it = name.eq_ignore_ascii_case(route_header);
        if is_it {
            tag = if *text == StringMatch::Exact(lane.to_owned()) { Tag::Own } else { Tag::Other };
        }
        !is_it
    });
    let asks_nothing = base.uri.is_none() && base.headers.is_empty();
    (Some(base).filter(|_| !asks_nothing), tag)
}
