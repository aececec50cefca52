//! What enters the lanes: by the rules of the lanes, or by weights.

use std::collections::BTreeSet;

use super::{
    group::{EVERY_HOST, Source},
    notes::Notes,
    rules::{Rule, Tag, condition, hosts},
};
use crate::{
    document::{Mode, Route, RouteMatch, Weight},
    yaml::element,
};

/// What enters the lanes.
pub(super) struct Entry {
    pub(super) routes: Vec<Route>,
    pub(super) hosts: Vec<String>,
    /// The lanes' shares, if the group goes by them.
    pub(super) weights: Option<Vec<Weight>>,
}

/// A rule, and the lane that it sends to whatever the tag.
type Sent<'r, 'a> = (&'r Rule<'a>, Option<&'r str>);

/// The longest name that Kubernetes takes (RFC 1123).
const LONGEST: usize = 63;
const ROUTING: &str = "spec.ingress.ingressRouting";

impl<'a> Source<'a> {
    pub(super) fn entry(&self, notes: &mut Notes) -> Entry {
        if self.is_weighted(notes) {
            return self.weighted(notes);
        }
        let rules = self.rules(notes);
        Entry { routes: self.routes(&rules, notes), hosts: hosts(&rules, notes), weights: None }
    }

    /// The routes, in the order of the lanes. A rule of one lane sends to that lane, whatever the tag; one that every lane has
    /// leaves it to the tag.
    fn routes(&self, rules: &[Rule<'_>], notes: &mut Notes) -> Vec<Route> {
        let mut routes: Vec<Sent<'_, '_>> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let lanes = rule.lanes(rules);
            let is_first = rules.iter().position(|other| other.is_alike(rule)) == Some(index);
            let is_of_all = rule.tag == Tag::Own && lanes.len() == self.lanes.len();
            if rule.tag == Tag::None && lanes.len() > 1 {
                if is_first {
                    self.is_ambiguous(rule, &lanes, notes);
                    routes.push((rule, None));
                }
            } else if is_of_all && self.mode == Mode::Strict {
                routes.extend(is_first.then_some((rule, None)));
            } else {
                if is_first && is_of_all {
                    notes.comment(
                        "routes",
                        format!(
                            "Every lane has the rule `{}`, each for its own value of `{}`. One route without `lane` and without \
                            that condition would let the tag choose, and send requests without one to the baseline.",
                            rule.name, self.route_header
                        ),
                    );
                }
                self.may_be_elsewhere(rule, &routes, notes);
                routes.push((rule, Some(rule.lane)));
            }
        }
        named(&routes)
    }

    /// Several lanes have one rule, so it cannot be what chooses the lane.
    fn is_ambiguous(&self, rule: &Rule<'_>, lanes: &BTreeSet<&str>, notes: &mut Notes) {
        let lanes: Vec<String> = lanes.iter().map(|lane| format!("`{lane}`")).collect();
        let untagged = match self.mode {
            Mode::Strict => "404",
            Mode::Permissive => "the baseline, unless `untagged: reject`",
        };
        let message = format!(
            "the lanes {} have the same rule `{}`, so the tag in `{}` chooses the lane; a request without one \
            gets {untagged}",
            lanes.join(", "),
            rule.name,
            self.route_header
        );
        notes.assumed(rule.place, &rule.path, "routes", message);
    }

    /// What sends a request to a lane is the first rule that takes it, and ASM does not say which is first.
    fn may_be_elsewhere(&self, rule: &Rule<'_>, earlier: &[Sent<'_, '_>], notes: &mut Notes) {
        let overlaps = |(other, _): &&Sent<'_, '_>| other.lane != rule.lane && !rule.is_apart_from(other);
        if let Some((other, _)) = earlier.iter().find(overlaps) {
            let message = format!(
                "the rule `{}` of `{}` comes after `{}` of `{}`, and both take some requests: routes are in the order of \
                the lanes in the input, and the first that matches wins",
                rule.name, rule.lane, other.name, other.lane
            );
            notes.assumed(rule.place, &rule.path, "routes", message);
        }
        if rule.tag == Tag::None && self.mode == Mode::Permissive {
            let message = format!(
                "the rule `{}` sends whatever it takes to `{}`, with any tag or none, as it asks nothing of `{}`",
                rule.name, rule.lane, self.route_header
            );
            notes.assumed(rule.place, &rule.path, "routes", message);
        }
    }

    /// Whether the group goes by weights, and not by the rules of its lanes.
    fn is_weighted(&self, notes: &mut Notes) -> bool {
        let place = &self.group.place;
        let routing = &self.group.object.spec.ingress.ingress_routing;
        let rule = &routing.weighted_routing_rule;
        match routing.ingress_routing_strategy.as_str() {
            "weighted" => return true,
            "" | "rule_based" => {}
            other => {
                let message =
                    format!("`{other}` is no strategy that is known of ASM: imported by the rules of the lanes");
                notes.lost(place, &format!("{ROUTING}.ingressRoutingStrategy"), message);
            }
        }
        if !rule.hosts.is_empty() || !rule.request_matches.is_empty() {
            let message = "the group goes by the rules of its lanes, so this is not in force";
            notes.lost(place, &format!("{ROUTING}.weightedRoutingRule"), message);
        }
        false
    }

    /// One route, and the shares.
    fn weighted(&self, notes: &mut Notes) -> Entry {
        let place = &self.group.place;
        let rule = &self.group.object.spec.ingress.ingress_routing.weighted_routing_rule;
        let (service, weights) = self.shares(notes);
        let hosts = if rule.hosts.is_empty() { vec![EVERY_HOST.to_owned()] } else { rule.hosts.clone() };
        let path = |index| element(&format!("{ROUTING}.weightedRoutingRule.requestMatches"), index);
        let asked = rule.request_matches.iter().enumerate();
        let said: Vec<Option<RouteMatch>> =
            asked.filter_map(|(index, asked)| condition(place, &path(index), asked, notes)).collect();
        // One that asks nothing makes the others mean nothing, and if none can be said, the route would take too much.
        let is_said = rule.request_matches.is_empty() || !said.is_empty();
        let Some(service) = service.filter(|_| is_said) else {
            notes.lost(place, ROUTING, "nothing enters the lanes that way: add spec.routes");
            return Entry { routes: Vec::new(), hosts, weights: Some(weights) };
        };
        let r#match = said.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
        let (name, service) = ("weighted".to_owned(), Some(service.to_owned()));
        let routes = vec![Route { name, service, r#match, ..Route::default() }];
        Entry { routes, hosts, weights: Some(of_a_hundred(weights)) }
    }

    /// The service that all lanes take a share of, and the shares.
    fn shares(&self, notes: &mut Notes) -> (Option<&'a str>, Vec<Weight>) {
        let (mut service, mut weights) = (None, Vec::new());
        for lane in &self.lanes {
            for index in 0..lane.object.spec.ingress_rules.len() {
                let message = "the group goes by weights, so the rule is not in force";
                notes.lost(&lane.place, &element("spec.ingressRules", index), message);
            }
            let share = &lane.object.spec.ingress_weight;
            if share.weight == 0 {
                continue;
            }
            let path = "spec.ingressWeight.destination.host";
            let Some(to) = self.destination(&lane.place, path, &share.destination.host, notes) else { continue };
            let first = *service.get_or_insert(to);
            if first != to {
                let message = format!("`{to}`, where another lane has `{first}`: one route leads to one service");
                notes.lost(&lane.place, path, message);
            }
            weights.push(Weight { lane: lane.name().to_owned(), weight: share.weight });
        }
        (service, weights)
    }
}

/// Routes need names of their own: a lane's name tells its rule from others of the same name.
fn named(routes: &[Sent<'_, '_>]) -> Vec<Route> {
    let names: Vec<String> = routes.iter().map(|(rule, _)| name(rule.name)).collect();
    let mut taken = BTreeSet::new();
    let route = |((rule, lane), own): (&Sent<'_, '_>, &String)| {
        let is_unique = names.iter().filter(|name| *name == own).count() == 1;
        let base = if is_unique { own.clone() } else { name(&format!("{}-{}", rule.lane, rule.name)) };
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let name = [base.clone()].into_iter().chain(numbered).find(|name| taken.insert(name.clone()));
        let condition = if lane.is_some() { &rule.condition } else { &rule.base };
        Route {
            name: name.unwrap_or(base),
            service: Some(rule.service.to_owned()),
            r#match: condition.iter().cloned().collect(),
            lane: lane.map(ToOwned::to_owned),
            ..Route::default()
        }
    };
    routes.iter().zip(&names).map(route).collect()
}

/// A text as a name of Kubernetes.
fn name(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(kept).take(LONGEST).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "route".to_owned() } else { name.to_owned() }
}

/// Weights that are not of a hundred, as Istio takes them too, where that comes out even.
fn of_a_hundred(weights: Vec<Weight>) -> Vec<Weight> {
    let sum: u64 = weights.iter().map(|weight| u64::from(weight.weight)).sum();
    let share = |Weight { lane, weight }: &Weight| {
        let hundredfold = u64::from(*weight) * 100;
        let share = (sum > 0 && hundredfold % sum == 0).then(|| hundredfold / sum)?;
        Some(Weight { lane: lane.clone(), weight: share.try_into().ok()? })
    };
    weights.iter().map(share).collect::<Option<Vec<_>>>().unwrap_or(weights)
}
