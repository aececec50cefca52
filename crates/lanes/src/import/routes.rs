//! From the rules of the lanes to routes.

use std::collections::BTreeSet;

use super::{
    group::Importer,
    rules::{Rule, Tag},
};
use crate::document::{Mode, Route};

/// The longest name that Kubernetes takes (RFC 1123).
const LONGEST: usize = 63;

impl Importer<'_> {
    /// The routes, in the order of the lanes. A rule of one lane sends to that lane, whatever the tag; one that every lane has
    /// leaves it to the tag.
    pub(super) fn routes(&mut self, rules: &[Rule<'_>], route_header: &str) -> Vec<Route> {
        let mut routes: Vec<(&Rule<'_>, Option<&str>)> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let lanes = rule.lanes(rules);
            let is_first = rules.iter().position(|other| other.is_alike(rule)) == Some(index);
            match (rule.tag, self.mode()) {
                (Tag::None, _) if lanes.len() > 1 => {
                    if is_first {
                        self.is_ambiguous(rule, &lanes, route_header);
                        routes.push((rule, None));
                    }
                }
                (Tag::Own, Mode::Strict) if lanes.len() == self.lanes.len() => {
                    routes.extend(is_first.then_some((rule, None)));
                }
                _ => {
                    if is_first && rule.tag == Tag::Own && lanes.len() == self.lanes.len() {
                        self.could_be_one(rule, route_header);
                    }
                    self.may_be_elsewhere(rule, &routes, route_header);
                    routes.push((rule, Some(rule.lane)));
                }
            }
        }
        named(&routes)
    }

    /// Several lanes have one rule, so it cannot be what chooses the lane.
    fn is_ambiguous(&mut self, rule: &Rule<'_>, lanes: &BTreeSet<&str>, route_header: &str) {
        let lanes: Vec<String> = lanes.iter().map(|lane| format!("`{lane}`")).collect();
        let untagged = match self.mode() {
            Mode::Strict => "404",
            Mode::Permissive => "the baseline, unless `untagged: reject`",
        };
        let message = format!(
            "the lanes {} have the same rule `{}`, so the tag in `{route_header}` chooses the lane; a request without one \
            gets {untagged}",
            lanes.join(", "),
            rule.name
        );
        self.assume(rule.place, &rule.path, "routes", message);
    }

    /// What sends a request to a lane is the first rule that takes it, and ASM does not say which is first.
    fn may_be_elsewhere(&mut self, rule: &Rule<'_>, earlier: &[(&Rule<'_>, Option<&str>)], route_header: &str) {
        let overlaps = |(other, _): &&(&Rule<'_>, Option<&str>)| other.lane != rule.lane && !rule.is_apart_from(other);
        if let Some((other, _)) = earlier.iter().find(overlaps) {
            let message = format!(
                "the rule `{}` of `{}` comes after `{}` of `{}`, and both take some requests: routes are in the order of \
                the lanes in the input, and the first that matches wins",
                rule.name, rule.lane, other.name, other.lane
            );
            self.assume(rule.place, &rule.path, "routes", message);
        }
        if rule.tag == Tag::None && self.mode() == Mode::Permissive {
            let message = format!(
                "the rule `{}` sends whatever it takes to `{}`, with any tag or none, as it asks nothing of `{route_header}`",
                rule.name, rule.lane
            );
            self.assume(rule.place, &rule.path, "routes", message);
        }
    }

    fn could_be_one(&mut self, rule: &Rule<'_>, route_header: &str) {
        let comment = format!(
            "Every lane has the rule `{}`, each for its own value of `{route_header}`. One route without `lane` and without \
            that condition would let the tag choose, and send requests without one to the baseline.",
            rule.name
        );
        self.remark("routes", comment);
    }
}

/// Routes need names of their own: a lane's name tells its rule from others of the same name.
fn named(routes: &[(&Rule<'_>, Option<&str>)]) -> Vec<Route> {
    let names: Vec<String> = routes.iter().map(|(rule, _)| name(rule.name)).collect();
    let mut taken = BTreeSet::new();
    let route = |((rule, lane), own): (&(&Rule<'_>, Option<&str>), &String)| {
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
