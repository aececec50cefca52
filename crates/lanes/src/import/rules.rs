//! The rules of the lanes, as they are in force: what they ask of a request, and where they lead.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    asm::{IngressRule, RequestMatch, SwimLane, TextMatch},
    group::{EVERY_HOST, Source, distinct},
    input::{Place, Resource},
    notes::Notes,
};
use crate::{
    document::{RouteMatch, StringMatch},
    yaml::{child, element},
};

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

impl<'a> Source<'a> {
    /// The rules of all lanes that are in force.
    pub(super) fn rules(&self, notes: &mut Notes) -> Vec<Rule<'a>> {
        let mut rules = Vec::new();
        for lane in &self.lanes {
            if lane.object.spec.ingress_weight.weight > 0 {
                let message =
                    "the group goes by rules, so the weight is not in force: it would be one of spec.assign.weights";
                notes.lost(&lane.place, "spec.ingressWeight", message);
            }
            for (index, rule) in lane.object.spec.ingress_rules.iter().enumerate() {
                rules.extend(self.rule(lane, &element("spec.ingressRules", index), rule, notes));
            }
        }
        if rules.is_empty() {
            let message = "no rule of any lane is in force, so nothing enters the lanes: add spec.routes";
            notes.lost(&self.group.place, "", message);
        }
        rules
    }

    fn rule(
        &self,
        lane: &'a Resource<'a, SwimLane>,
        path: &str,
        rule: &'a IngressRule,
        notes: &mut Notes,
    ) -> Option<Rule<'a>> {
        if !rule.online {
            let message =
                format!("the rule `{}` is not online: add it to spec.routes when it is to be in force", rule.name);
            notes.lost(&lane.place, path, message);
            return None;
        }
        let to = child(path, "route.destination");
        let service = self.destination(&lane.place, &to, &rule.route.destination.host, notes)?;
        let condition = condition(&lane.place, &child(path, "match"), &rule.r#match, notes)?;
        let (base, tag) = without(condition.as_ref(), self.route_header, lane.name());
        let hosts = if rule.hosts.is_empty() { vec![EVERY_HOST.to_owned()] } else { rule.hosts.clone() };
        let (lane, name, place, path) = (lane.name(), rule.name.as_str(), &lane.place, path.to_owned());
        Some(Rule { lane, name, service, condition, base, tag, hosts, place, path })
    }

    /// The service that requests go to; none, and a note, if it is not of the group.
    pub(super) fn destination(&self, place: &Place<'_>, path: &str, host: &str, notes: &mut Notes) -> Option<&'a str> {
        let service = self.service_of(host);
        if service.is_none() {
            let message = match host {
                "" => "names no service, so the rule leads nowhere: add it to spec.routes with its service".to_owned(),
                host => format!(
                    "`{host}` is no service of the group in the namespace `{}`: a route leads to one of spec.services",
                    self.namespace
                ),
            };
            notes.lost(place, path, message);
        }
        service
    }
}

/// The hosts that the gateway serves: those of all rules, as routes have none of their own.
pub(super) fn hosts(rules: &[Rule<'_>], notes: &mut Notes) -> Vec<String> {
    let is_for_all = |rule: &Rule<'_>| rule.hosts.iter().any(|host| host == EVERY_HOST);
    let mut hosts = distinct(rules.iter().flat_map(|rule| &rule.hosts).map(String::as_str));
    if rules.is_empty() || rules.iter().any(is_for_all) {
        hosts = vec![EVERY_HOST.to_owned()];
    }
    for rule in rules {
        if rule.hosts.iter().collect::<BTreeSet<_>>() != hosts.iter().collect() && !is_for_all(rule) {
            let message = format!(
                "the rule is for {} only, and the routes of a lane group for all hosts of its gateway: {}; give those \
                hosts a lane group of their own",
                rule.hosts.join(", "),
                hosts.join(", ")
            );
            notes.lost(rule.place, &child(&rule.path, "hosts"), message);
        }
    }
    hosts
}

/// What is asked of a request, or `Some(None)` for nothing; `None`, and a note, if that cannot be said.
pub(super) fn condition(
    place: &Place<'_>,
    path: &str,
    asked: &RequestMatch,
    notes: &mut Notes,
) -> Option<Option<RouteMatch>> {
    if asked.is_empty() {
        return Some(None);
    }
    let uri = match asked.uri.is_empty() {
        true => None,
        false => Some(text(place, &child(path, "uri"), &asked.uri, notes)?),
    };
    let mut headers = BTreeMap::new();
    for (name, asked) in &asked.headers {
        headers.insert(name.clone(), text(place, &format!("{path}.headers.{name}"), asked, notes)?);
    }
    Some(Some(RouteMatch { uri, headers, method: None }))
}

fn text(place: &Place<'_>, path: &str, asked: &TextMatch, notes: &mut Notes) -> Option<StringMatch> {
    match (asked.exact.as_str(), asked.prefix.as_str(), asked.regex.as_str()) {
        ("", "", "") => {
            let message = "a header of which nothing is asked must be there, as in Istio: `regex: .*`";
            notes.assumed(place, path, "routes", message);
            Some(StringMatch::Regex(".*".to_owned()))
        }
        (exact, "", "") => Some(StringMatch::Exact(exact.to_owned())),
        ("", prefix, "") => Some(StringMatch::Prefix(prefix.to_owned())),
        ("", "", regex) => Some(StringMatch::Regex(regex.to_owned())),
        _ => {
            let message =
                "several of `exact`, `prefix` and `regex`, so the rule says no one thing: add it to spec.routes";
            notes.lost(place, path, message);
            None
        }
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
