//! The first rule wins, as each implementation sorts them.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use fastrand::Rng;

use super::*;
use crate::render::rules::Retrying;

/// What an implementation makes of a match.
struct Ranked {
    rank: (usize, usize, usize, usize),
    rule: usize,
    matches: Value,
}

#[test]
fn the_first_rule_wins_whatever_gateway_api_would_prefer() {
    for of in [Implementation::Istio, Implementation::EnvoyGateway, Implementation::Any] {
        the_first_rule_wins(of);
    }
}

fn the_first_rule_wins(of: Implementation) {
    let (mut said, mut requests, mut refused) = (0, 0, 0);
    for seed in 0..1000 {
        let mut rng = Rng::with_seed(seed);
        let mut rules: Vec<Rule> = (0..rng.usize(2..7)).map(|number| rule(&mut rng, number)).collect();
        if of == Implementation::Any {
            rules.iter_mut().for_each(in_words_of_any);
        }
        let Ok(specified) = specify(rules.clone(), Ties::Nowhere, of) else {
            refused += 1;
            continue;
        };
        said += 1;
        let sorted = sorted(&specified, of);
        for _ in 0..20 {
            let request = request(&mut rng);
            let first = rules.iter().find(|rule| takes(rule, &request)).map(|rule| rule.name.clone());
            let winner = sorted.iter().find(|ranked| holds(&ranked.matches, &request));
            let winner = winner.map(|ranked| specified[ranked.rule].0.name.clone());
            assert_eq!(winner, first, "{of:?}, seed {seed}: {request:?}\n{specified:#?}");
            requests += 1;
        }
    }
    // What is exact, or of whole segments, can always be said.
    let is_refusing = (refused > 0) == (of != Implementation::Any);
    assert!(
        said > 500 && requests > 10_000 && is_refusing,
        "{of:?}: {said} said, {requests} requests, {refused} refused"
    );
}

#[test]
fn without_ties_nothing_is_added() {
    let header = |value: &str| [("x".to_owned(), StringMatch::Exact(value.to_owned()))].into();
    let rule = |name: &str, headers: BTreeMap<String, StringMatch>| {
        Rule::forward(name, vec![Condition { headers, ..Condition::default() }], Vec::new())
    };
    let rules = vec![rule("one", header("1")), rule("two", header("2")), rule("rest", BTreeMap::new())];
    let matches: Vec<usize> =
        specify(rules, Ties::Nowhere, Implementation::Istio).unwrap().iter().map(|(_, all)| all.len()).collect();
    assert_eq!(matches, [1, 1, 1]);
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    let rule = |name: &str, regex: &str, more: &[(&str, &str)]| {
        let mut headers: BTreeMap<String, StringMatch> =
            [("x".to_owned(), StringMatch::Regex(regex.to_owned()))].into();
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), StringMatch::Exact((*value).to_owned()))));
        Rule::forward(name, vec![Condition { headers, ..Condition::default() }], Vec::new())
    };
    let rules = vec![rule("one", "a+", &[]), rule("two", "[ab]+", &[("y", "1")])];
    let error = specify(rules, Ties::Nowhere, Implementation::Istio).unwrap_err().to_string();
    assert!(error.contains("`one` could not be made so beside `two`"), "{error}");
}

fn rule(rng: &mut Rng, number: usize) -> Rule {
    let conditions = (0..rng.usize(0..3)).map(|_| condition(rng)).collect();
    let mut rule = Rule::forward(format!("r{number}"), conditions, Vec::new());
    rule.retries = rng.bool().then(Retrying::default);
    rule
}

/// Exact, or a prefix of whole segments.
fn in_words_of_any(rule: &mut Rule) {
    let said = |condition: Condition| {
        let exact = |value: &StringMatch| match value {
            StringMatch::Prefix(text) => StringMatch::Exact(text.clone()),
            other => other.clone(),
        };
        let headers = condition.headers.iter().map(|(name, value)| (name.clone(), exact(value))).collect();
        let uris = match &condition.uri {
            Some(StringMatch::Prefix(prefix)) if prefix != "/" => {
                vec![Some(StringMatch::Exact(prefix.clone())), Some(StringMatch::Prefix(format!("{prefix}/")))]
            }
            other => vec![other.clone()],
        };
        let condition = Condition { headers, ..condition };
        uris.into_iter().map(|uri| Condition { uri, ..condition.clone() }).collect::<Vec<_>>()
    };
    rule.conditions = std::mem::take(&mut rule.conditions).into_iter().flat_map(said).collect();
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

/// As an implementation sorts what it reads: equals in any order, here the opposite of ours.
fn sorted(specified: &[(Rule, Vec<Value>)], of: Implementation) -> Vec<Ranked> {
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
            let headers = one["headers"].as_array().map_or(&[][..], Vec::as_slice);
            let exact = headers.iter().filter(|header| header.get("type").is_none()).count();
            let method = usize::from(one.get("method").is_some());
            let rank = match of {
                // It turns the method into a header.
                Implementation::EnvoyGateway => {
                    // It prefers regular expressions to prefixes.
                    let kind = [0, 2, 1, 3][kind];
                    (kind, text.len(), headers.len() + method, exact + method)
                }
                _ => (kind, text.len(), method, headers.len()),
            };
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
        _ => asked == "/" || path == asked || path.starts_with(&format!("{asked}/")),
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
