//! What is sent again when a pod of a lane dies.
//!
//! Between the crash of a pod and its discovery, a request to it fails although the baseline could answer. A method that
//! HTTP calls idempotent may be sent again even if the request has reached the pod; any other only if it cannot have.

use super::{Condition, Rule};
use crate::document::{Duration, Mode, Retries, RouteRetries, Spec, StringMatch};

/// RFC 9110, section 9.2.2.
const IDEMPOTENT: [&str; 6] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
/// One for another pod of the lane, one for the baseline.
const ATTEMPTS: u32 = 2;

/// How a request is sent again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Retrying {
    /// How often; 0 for never.
    pub(in super::super) attempts: u32,
    pub(in super::super) conditions: Conditions,
    pub(in super::super) per_try_timeout: Option<Duration>,
    /// Whether the baseline's pods come after the lane's (Envoy's `previous_priorities`).
    pub(in super::super) to_baseline: bool,
    /// The route of the document that says so.
    pub(in super::super) of_route: Option<String>,
}

/// When a request is sent again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) enum Conditions {
    /// When it cannot have reached the application.
    ///
    /// `unavailable` and `cancelled`, which Istio retries by default, may be a gRPC application's own answer.
    NotSent,
    /// Also when it may have. Without `reset`, requests in flight are lost with the pod.
    MaybeSent,
    /// As the document says it.
    Given(String),
}

impl Default for Retrying {
    /// What no rule says otherwise.
    fn default() -> Self {
        let (conditions, to_baseline) = (Conditions::NotSent, true);
        Self { attempts: ATTEMPTS, conditions, per_try_timeout: None, to_baseline, of_route: None }
    }
}

impl Conditions {
    /// Envoy's conditions, and the status codes that count as one.
    pub(in super::super) fn parts(&self) -> (Vec<&str>, Vec<u16>) {
        let all = match self {
            Self::NotSent => "connect-failure,refused-stream",
            Self::MaybeSent => "connect-failure,refused-stream,unavailable,cancelled,reset,503",
            Self::Given(given) => given,
        };
        let parts = all.split(',').filter(|part| !part.is_empty());
        let codes = parts.clone().filter_map(|part| part.parse().ok()).collect();
        (parts.filter(|part| part.parse::<u16>().is_err()).collect(), codes)
    }
}

impl Spec {
    /// The rule with its retries: two rules where the method decides.
    ///
    /// Where nothing falls back and the route says nothing, the proxy's default stays.
    pub(super) fn with_retries(&self, rule: Rule, own: Option<(&str, &RouteRetries)>) -> Vec<Rule> {
        let to_baseline = rule.falls_back();
        let retrying = |conditions: Conditions| Retrying {
            attempts: own.map_or(ATTEMPTS, |(_, own)| own.attempts),
            conditions,
            per_try_timeout: own.and_then(|(_, own)| own.per_try_timeout.clone()),
            // All rules of a route that says so are sent again in the same way: without priorities it changes nothing.
            to_baseline: to_baseline || (own.is_some() && self.mode == Mode::Permissive),
            of_route: own.map(|(route, _)| route.to_owned()),
        };
        let one = |conditions: Conditions| vec![Rule { retries: Some(retrying(conditions)), ..rule.clone() }];
        let given = own.and_then(|(_, own)| own.retry_on.clone()).map(Conditions::Given);
        match (given, self.retries) {
            (Some(given), _) => one(given),
            (None, _) if own.is_none() && !to_baseline && self.retries != Retries::Never => vec![rule],
            (None, Retries::Never) if own.is_none() => {
                let never = Retrying { attempts: 0, to_baseline: false, ..retrying(Conditions::NotSent) };
                vec![Rule { retries: Some(never), ..rule }]
            }
            (None, Retries::Always) => one(Conditions::MaybeSent),
            (None, Retries::Idempotent | Retries::Never) => by_method(&rule, retrying),
        }
    }
}

fn by_method(rule: &Rule, retrying: impl Fn(Conditions) -> Retrying) -> Vec<Rule> {
    let conditions = if rule.conditions.is_empty() { &[Condition::default()][..] } else { &rule.conditions };
    let idempotent: Vec<Condition> = conditions.iter().filter_map(idempotent).collect();
    let others: Vec<Condition> = conditions.iter().filter(|condition| has_others(condition)).cloned().collect();
    let mut rules = Vec::new();
    if !idempotent.is_empty() {
        let (name, retries) = (format!("{}-idempotent", rule.name), Some(retrying(Conditions::MaybeSent)));
        rules.push(Rule { name, conditions: idempotent, retries, ..rule.clone() });
    }
    if !others.is_empty() {
        let conditions = if rule.conditions.is_empty() { Vec::new() } else { others };
        rules.push(Rule { conditions, retries: Some(retrying(Conditions::NotSent)), ..rule.clone() });
    }
    rules
}

/// The condition for those idempotent methods that it allows.
fn idempotent(condition: &Condition) -> Option<Condition> {
    let allowed = |method: &&str| condition.method.as_ref().is_none_or(|asked| asked.holds(method.as_bytes()));
    let methods: Vec<&str> = IDEMPOTENT.into_iter().filter(allowed).collect();
    let method = match methods.as_slice() {
        [] => return None,
        [method] => StringMatch::Exact((*method).to_owned()),
        methods => StringMatch::Regex(methods.join("|")),
    };
    Some(Condition { method: Some(method), ..condition.clone() })
}

/// Whether it may hold for a method that is not idempotent.
fn has_others(condition: &Condition) -> bool {
    !matches!(&condition.method, Some(StringMatch::Exact(method)) if IDEMPOTENT.contains(&method.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(method: Option<StringMatch>) -> Vec<Option<String>> {
        let conditions = vec![Condition { method, ..Condition::default() }];
        let rule = Rule::forward("r", conditions, Vec::new());
        let retrying = |conditions| Retrying {
            attempts: ATTEMPTS,
            conditions,
            per_try_timeout: None,
            to_baseline: true,
            of_route: None,
        };
        let method = |rule: Rule| rule.conditions.first().and_then(|first| first.method.clone());
        let text = |method: StringMatch| serde_json::to_string(&method).unwrap();
        by_method(&rule, retrying).into_iter().map(|rule| method(rule).map(text)).collect()
    }

    #[test]
    fn a_route_with_methods_of_its_own_keeps_them() {
        let all = r#"{"regex":"GET|HEAD|OPTIONS|TRACE|PUT|DELETE"}"#.to_owned();
        assert_eq!(methods(None), [Some(all), None]);
        let exact = |method: &str| methods(Some(StringMatch::Exact(method.to_owned())));
        assert_eq!(exact("GET"), [Some(r#"{"exact":"GET"}"#.to_owned())]);
        assert_eq!(exact("POST"), [Some(r#"{"exact":"POST"}"#.to_owned())]);
        let some = methods(Some(StringMatch::Regex("GET|PUT|POST".to_owned())));
        assert_eq!(some, [Some(r#"{"regex":"GET|PUT"}"#.to_owned()), Some(r#"{"regex":"GET|PUT|POST"}"#.to_owned())]);
    }
}
