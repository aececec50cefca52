//! Which rule of Gateway API wins: the most specific, not the first.
//!
//! Rules here are in order, and the first that matches takes the request. Where Gateway API would give a request to a later
//! rule because that is more specific, the earlier rule gets a match more: what both demand, which is more specific still.
//! The order of specificity is Istio's (`sortHTTPRoutes` in pilot/pkg/config/kube/gateway/conversion.go) and the specification's: the
//! path by its kind and its length, then whether the method is asked for, then the number of headers. To Envoy Gateway the method is
//! one header more, and of as many headers those count that are exact (`internal/gatewayapi/sort.go` in 1.9).

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::{Value, json};

use super::implementation::Implementation;
use crate::{
    document::StringMatch,
    json::given,
    render::rules::{Condition, Rule},
};

/// More is no document that anybody wrote.
const MOST_MATCHES: usize = 4096;
/// The methods that Gateway API knows.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// What a request must be like.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Match {
    uri: Option<StringMatch>,
    headers: BTreeMap<String, StringMatch>,
    method: Option<&'static str>,
}

/// Where two rules may be equally specific. The order breaks a tie within an HTTPRoute, age and name between two.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Ties {
    /// Where the rules are of one HTTPRoute: those that are sent again in the same way.
    WithinRoutes,
    Nowhere,
}

/// How paths are written.
#[derive(Clone, Copy)]
enum Paths {
    /// There are exact ones and `/` only.
    Plain,
    /// Gateway API's prefixes are of whole segments, and outrank regular expressions: all but exact paths are such.
    Regular,
    /// A prefix that ends with `/` is one of whole segments: the rule takes the path without it as well.
    Segments,
}

/// What two matches have in common.
enum Meet<T> {
    Nothing,
    At(T),
    /// Nobody knows.
    Unknown,
}

/// The rules with their matches, so that the order does not matter. A rule that no request reaches is left out.
///
/// # Errors
/// What cannot be said by HTTPRoutes.
pub(super) fn specify(rules: Vec<Rule>, ties: Ties, of: Implementation) -> anyhow::Result<Vec<(Rule, Vec<Value>)>> {
    let mut conditions = rules.iter().flat_map(|rule| &rule.conditions);
    let paths = match of {
        Implementation::Any => Paths::Segments,
        Implementation::Istio | Implementation::EnvoyGateway if conditions.all(is_plain) => Paths::Plain,
        Implementation::Istio | Implementation::EnvoyGateway => Paths::Regular,
    };
    let mut specified: Vec<(Rule, Vec<Match>)> = Vec::new();
    // From the last: what an earlier rule gets must win over what the later ones got.
    for rule in rules.into_iter().rev() {
        let mut matches = matches(&rule)?;
        let own = matches.clone();
        for (later, theirs) in &mut specified {
            let may_tie = ties == Ties::WithinRoutes && rule.goes_with(later);
            let wins = |one: &Match, other: &Match| {
                let (one, other) = (one.rank(paths, of), other.rank(paths, of));
                one > other || (may_tie && one == other)
            };
            for one in &own {
                let mut reached = Vec::new();
                for other in theirs.drain(..) {
                    match one.meet(&other) {
                        Meet::Nothing => reached.push(other),
                        _ if wins(one, &other) => reached.push(other),
                        Meet::At(both) if both == other => push(&mut matches, both),
                        Meet::At(both) if wins(&both, &other) => {
                            push(&mut matches, both);
                            reached.push(other);
                        }
                        Meet::At(_) | Meet::Unknown => bail!(
                            "Gateway API lets the more specific rule win, and `{}` could not be made so beside `{}`: where both \
                            match a header or the path, say it by `exact` or `prefix`{}",
                            rule.name,
                            later.name,
                            if of == Implementation::Istio { ", or use `routing: virtualService`" } else { "" }
                        ),
                    }
                }
                *theirs = reached;
            }
        }
        if matches.len() > MOST_MATCHES {
            bail!(
                "`{}` would need {} matches in HTTPRoutes: fewer or simpler routes are needed",
                rule.name,
                matches.len()
            );
        }
        specified.insert(0, (rule, matches));
    }
    let reached = specified.into_iter().filter(|(_, matches)| !matches.is_empty());
    Ok(reached.map(|(rule, matches)| (rule, matches.iter().map(|one| one.value(paths)).collect())).collect())
}

fn push(matches: &mut Vec<Match>, more: Match) {
    if !matches.contains(&more) {
        matches.push(more);
    }
}

fn is_plain(condition: &Condition) -> bool {
    match &condition.uri {
        None | Some(StringMatch::Exact(_)) => true,
        Some(StringMatch::Prefix(prefix)) => prefix == "/",
        Some(StringMatch::Regex(_)) => false,
    }
}

/// The matches that a rule has by itself, each for one method or for all.
fn matches(rule: &Rule) -> anyhow::Result<Vec<Match>> {
    let everything = [Condition::default()];
    let conditions = if rule.conditions.is_empty() { &everything[..] } else { &rule.conditions };
    let mut matches = Vec::new();
    for Condition { uri, headers, method, .. } in conditions {
        let uri = uri.clone().filter(|uri| *uri != StringMatch::Prefix("/".to_owned()));
        let methods: Vec<Option<&str>> = match method {
            None => vec![None],
            Some(asked) => METHODS.into_iter().filter(|method| asked.holds(method.as_bytes())).map(Some).collect(),
        };
        if methods.is_empty() {
            bail!("`{}` asks for a method that HTTPRoutes do not know: there are {}", rule.name, METHODS.join(", "));
        }
        for method in methods {
            push(&mut matches, Match { uri: uri.clone(), headers: headers.clone(), method });
        }
    }
    Ok(matches)
}

impl Match {
    /// Greater wins.
    fn rank(&self, paths: Paths, of: Implementation) -> (u8, usize, usize, usize) {
        let (kind, length) = match (self.path(paths), &self.uri) {
            (_, Some(StringMatch::Exact(path))) => (3, path.len()),
            (Some(("PathPrefix", prefix)), _) => (2, prefix.len()),
            (Some((_, regex)), _) => (1, regex.len()),
            (None, _) => (2, 1),
        };
        let (method, headers) = (usize::from(self.method.is_some()), self.headers.len());
        let is_exact = |value: &&StringMatch| matches!(value, StringMatch::Exact(_));
        match of {
            Implementation::EnvoyGateway => {
                (kind, length, headers + method, self.headers.values().filter(is_exact).count() + method)
            }
            Implementation::Istio | Implementation::Any => (kind, length, method, headers),
        }
    }

    fn meet(&self, other: &Self) -> Meet<Self> {
        let method = match (self.method, other.method) {
            (Some(one), Some(other)) if one != other => return Meet::Nothing,
            (one, other) => one.or(other),
        };
        let (mut headers, mut is_known) = (self.headers.clone(), true);
        for (name, asked) in &other.headers {
            match meet(self.headers.get(name), Some(asked)) {
                Meet::Nothing => return Meet::Nothing,
                Meet::At(both) => headers.extend(both.map(|both| (name.clone(), both))),
                Meet::Unknown => is_known = false,
            }
        }
        match meet(self.uri.as_ref(), other.uri.as_ref()) {
            Meet::Nothing => Meet::Nothing,
            Meet::At(uri) if is_known => Meet::At(Self { uri, headers, method }),
            Meet::At(_) | Meet::Unknown => Meet::Unknown,
        }
    }

    fn value(&self, paths: Paths) -> Value {
        let path = self.path(paths).map(|(kind, value)| json!({"type": kind, "value": value}));
        let headers: Vec<Value> = self.headers.iter().map(|(name, value)| header(name, value)).collect();
        given(json!({"path": path, "headers": headers, "method": self.method}))
    }

    fn path(&self, paths: Paths) -> Option<(&'static str, String)> {
        match (&self.uri, paths) {
            (Some(StringMatch::Exact(path)), _) => Some(("Exact", path.clone())),
            (_, Paths::Plain) => None,
            (Some(StringMatch::Prefix(prefix)), Paths::Segments) => {
                Some(("PathPrefix", prefix.trim_end_matches('/').to_owned()))
            }
            (None, Paths::Segments) => None,
            (uri, Paths::Regular | Paths::Segments) => Some(("RegularExpression", regular(uri.as_ref()))),
        }
    }
}

/// What satisfies both.
fn meet(one: Option<&StringMatch>, other: Option<&StringMatch>) -> Meet<Option<StringMatch>> {
    use StringMatch::{Exact, Prefix};
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return Meet::At(one.or(other).cloned()),
    };
    let holds = |is_it: bool, both: &StringMatch| if is_it { Meet::At(Some(both.clone())) } else { Meet::Nothing };
    match (one, other) {
        _ if one == other => Meet::At(Some(one.clone())),
        (Exact(text), _) => holds(other.holds(text.as_bytes()), one),
        (_, Exact(text)) => holds(one.holds(text.as_bytes()), other),
        (Prefix(short), Prefix(long)) if long.starts_with(short) => Meet::At(Some(other.clone())),
        (Prefix(long), Prefix(short)) => holds(long.starts_with(short), one),
        _ => Meet::Unknown,
    }
}

fn header(name: &str, value: &StringMatch) -> Value {
    match value {
        StringMatch::Exact(text) => json!({"name": name, "value": text}),
        other => json!({"name": name, "type": "RegularExpression", "value": regular(Some(other))}),
    }
}

/// From the beginning to the end, as Envoy matches it.
fn regular(text: Option<&StringMatch>) -> String {
    match text {
        None => ".*".to_owned(),
        Some(StringMatch::Exact(text)) => regex::escape(text),
        Some(StringMatch::Prefix(text)) => format!("{}.*", regex::escape(text)),
        Some(StringMatch::Regex(regex)) => regex.clone(),
    }
}

#[cfg(test)]
mod tests;
