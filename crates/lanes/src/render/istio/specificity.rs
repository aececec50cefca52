//! Which rule of Gateway API wins: the most specific, not the first.
//!
//! Rules here are in order, and the first that matches takes the request. Where Gateway API would give a request to a later
//! rule because that is more specific, the earlier rule gets a match more: what both demand, which is more specific still.
//! The order of specificity is Istio's (`sortHTTPRoutes` in pilot/pkg/config/kube/gateway/conversion.go): the path by its
//! kind and its length, then whether the method is asked for, then the number of headers.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::{Value, json};

use crate::{
    document::StringMatch,
    json::with,
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
pub(super) fn specify(rules: Vec<Rule>, ties: Ties) -> anyhow::Result<Vec<(Rule, Vec<Value>)>> {
    let conditions = rules.iter().flat_map(|rule| &rule.conditions);
    let paths = if conditions.into_iter().all(is_plain) { Paths::Plain } else { Paths::Regular };
    let mut specified: Vec<(Rule, Vec<Match>)> = Vec::new();
    // From the last: what an earlier rule gets must win over what the later ones got.
    for rule in rules.into_iter().rev() {
        let mut matches = matches(&rule)?;
        let own = matches.clone();
        for (later, theirs) in &mut specified {
            let may_tie = ties == Ties::WithinRoutes && rule.retries == later.retries;
            let wins = |one: &Match, other: &Match| {
                let (one, other) = (one.rank(paths), other.rank(paths));
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
                            match a header or the path, say it by `exact` or `prefix`, or use `routing: virtualService`",
                            rule.name,
                            later.name
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
    fn rank(&self, paths: Paths) -> (u8, usize, bool, usize) {
        let (kind, length) = match (self.path(paths), &self.uri) {
            (_, Some(StringMatch::Exact(path))) => (3, path.len()),
            (Some((_, regex)), _) => (1, regex.len()),
            (None, _) => (2, 1),
        };
        (kind, length, self.method.is_some(), self.headers.len())
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
        let path = match self.path(paths) {
            Some((kind, value)) => json!({"path": {"type": kind, "value": value}}),
            None => json!({}),
        };
        let headers: Vec<Value> = self.headers.iter().map(|(name, value)| header(name, value)).collect();
        let headers = if headers.is_empty() { json!({}) } else { json!({ "headers": headers }) };
        let method = self.method.map_or_else(|| json!({}), |method| json!({ "method": method }));
        [headers, method].into_iter().fold(path, with)
    }

    fn path(&self, paths: Paths) -> Option<(&'static str, String)> {
        match (&self.uri, paths) {
            (Some(StringMatch::Exact(path)), _) => Some(("Exact", path.clone())),
            (_, Paths::Plain) => None,
            (uri, Paths::Regular) => Some(("RegularExpression", regular(uri.as_ref()))),
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
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

    use fastrand::Rng;

    use super::*;
    use crate::render::rules::Retrying;

    /// What Istio makes of a match.
    struct Ranked {
        rank: (u8, usize, bool, usize),
        rule: usize,
        matches: Value,
    }

    #[test]
    fn the_first_rule_wins_whatever_gateway_api_would_prefer() {
        let (mut said, mut requests, mut refused) = (0, 0, 0);
        for seed in 0..1000 {
            let mut rng = Rng::with_seed(seed);
            let rules: Vec<Rule> = (0..rng.usize(2..7)).map(|number| rule(&mut rng, number)).collect();
            let Ok(specified) = specify(rules.clone(), Ties::Nowhere) else {
                refused += 1;
                continue;
            };
            said += 1;
            let sorted = sorted(&specified);
            for _ in 0..20 {
                let request = request(&mut rng);
                let first = rules.iter().find(|rule| takes(rule, &request)).map(|rule| rule.name.clone());
                let winner = sorted.iter().find(|ranked| holds(&ranked.matches, &request));
                let winner = winner.map(|ranked| specified[ranked.rule].0.name.clone());
                assert_eq!(winner, first, "seed {seed}: {request:?}\n{specified:#?}");
                requests += 1;
            }
        }
        assert!(said > 500 && requests > 10_000 && refused > 0, "{said} said, {requests} requests, {refused} refused");
    }

    #[test]
    fn without_ties_nothing_is_added() {
        let header = |value: &str| [("x".to_owned(), StringMatch::Exact(value.to_owned()))].into();
        let rule = |name: &str, headers: BTreeMap<String, StringMatch>| {
            Rule::forward(name, vec![Condition { headers, ..Condition::default() }], Vec::new())
        };
        let rules = vec![rule("one", header("1")), rule("two", header("2")), rule("rest", BTreeMap::new())];
        let matches: Vec<usize> = specify(rules, Ties::Nowhere).unwrap().iter().map(|(_, all)| all.len()).collect();
        assert_eq!(matches, [1, 1, 1]);
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let rule = |name: &str, regex: &str, more: &[(&str, &str)]| {
            let mut headers: BTreeMap<String, StringMatch> =
                [("x".to_owned(), StringMatch::Regex(regex.to_owned()))].into();
            headers
                .extend(more.iter().map(|(name, value)| ((*name).to_owned(), StringMatch::Exact((*value).to_owned()))));
            Rule::forward(name, vec![Condition { headers, ..Condition::default() }], Vec::new())
        };
        let rules = vec![rule("one", "a+", &[]), rule("two", "[ab]+", &[("y", "1")])];
        let error = specify(rules, Ties::Nowhere).unwrap_err().to_string();
        assert!(error.contains("`one` could not be made so beside `two`"), "{error}");
    }

    fn rule(rng: &mut Rng, number: usize) -> Rule {
        let conditions = (0..rng.usize(0..3)).map(|_| condition(rng)).collect();
        let mut rule = Rule::forward(format!("r{number}"), conditions, Vec::new());
        rule.retries = rng.bool().then(Retrying::default);
        rule
    }

    fn condition(rng: &mut Rng) -> Condition {
        let uris = ["/", "/a", "/a/b", "/ab", "/a/b/c"];
        let uri = rng.choice(uris).unwrap().to_owned();
        let uri = match rng.u8(0..3) {
            0 => None,
            1 => Some(StringMatch::Prefix(uri)),
            _ => Some(StringMatch::Exact(uri)),
        };
        let mut headers = BTreeMap::new();
        for name in ["x", "y", "z"] {
            let value = rng.choice(["1", "2", "12"]).unwrap().to_owned();
            match rng.u8(0..4) {
                0 => drop(headers.insert(name.to_owned(), StringMatch::Exact(value))),
                1 => drop(headers.insert(name.to_owned(), StringMatch::Prefix(value))),
                _ => {}
            }
        }
        let method = rng.choice([None, Some("GET"), Some("POST"), Some("P")]).unwrap();
        let method = method.map(|method| StringMatch::Prefix(method.to_owned()));
        Condition { uri, headers, method, ..Condition::default() }
    }

    /// Path, method and headers.
    type Request = (String, String, BTreeMap<String, String>);

    fn request(rng: &mut Rng) -> Request {
        let mut of = |values: &[&str]| rng.choice(values.iter()).map(|value| (*value).to_owned()).unwrap();
        let path = of(&["/", "/a", "/a/b", "/ab", "/a/b/c", "/c"]);
        let method = of(&["GET", "POST", "PUT", "PATCH"]);
        let values = ["x", "y", "z"].map(|name| (name.to_owned(), of(&["", "1", "2", "12", "13"])));
        (path, method, values.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    fn takes(rule: &Rule, (path, method, headers): &Request) -> bool {
        let holds =
            |asked: &Option<StringMatch>, value: &str| asked.as_ref().is_none_or(|asked| asked.holds(value.as_bytes()));
        let all = |condition: &Condition| {
            let of_header = |(name, asked): (&String, &StringMatch)| {
                headers.get(name).is_some_and(|value| asked.holds(value.as_bytes()))
            };
            holds(&condition.uri, path) && holds(&condition.method, method) && condition.headers.iter().all(of_header)
        };
        rule.conditions.is_empty() || rule.conditions.iter().any(all)
    }

    /// As Istio sorts what it reads: equals in any order, here the opposite of ours.
    fn sorted(specified: &[(Rule, Vec<Value>)]) -> Vec<Ranked> {
        let mut ranked = Vec::new();
        for (rule, (_, matches)) in specified.iter().enumerate().rev() {
            for one in matches {
                let path = &one["path"];
                let text = path["value"].as_str().unwrap_or("/");
                let kind = match path["type"].as_str() {
                    Some("Exact") => 3,
                    Some("RegularExpression") => 1,
                    _ => 2,
                };
                let headers = one["headers"].as_array().map_or(0, Vec::len);
                let rank = (kind, text.len(), one.get("method").is_some(), headers);
                ranked.push(Ranked { rank, rule, matches: one.clone() });
            }
        }
        ranked.sort_by_key(|ranked| std::cmp::Reverse(ranked.rank));
        ranked
    }

    fn holds(matches: &Value, (path, method, headers): &Request) -> bool {
        // Those that are drawn are prefixes.
        let regular = |regex: &str, text: &str| text.starts_with(regex.strip_suffix(".*").unwrap());
        let asked = matches["path"]["value"].as_str().unwrap_or("/");
        let has_path = match matches["path"]["type"].as_str() {
            Some("Exact") => asked == path,
            Some("RegularExpression") => regular(asked, path),
            _ => true,
        };
        let has_header = |asked: &Value| {
            let Some(value) = headers.get(asked["name"].as_str().unwrap()) else { return false };
            let text = asked["value"].as_str().unwrap();
            if asked.get("type").is_some() { regular(text, value) } else { text == value }
        };
        has_path
            && matches["method"].as_str().is_none_or(|asked| asked == method)
            && matches["headers"].as_array().into_iter().flatten().all(has_header)
    }
}
