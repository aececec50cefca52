//! What is sent again when a pod of a lane dies.
//!
//! Between the crash of a pod and its discovery, a request to it fails although the baseline could answer. A method that
//! HTTP calls idempotent may be sent again even if the request has reached the pod; any other only if it cannot have.

use super::{Condition, Resend, Rule};
use crate::document::{Mode, Retries, Spec, StringMatch};

/// RFC 9110, section 9.2.2.
const IDEMPOTENT: [&str; 6] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

impl Spec {
    /// Whether requests to the lane can be answered by the baseline.
    pub(in super::super) fn falls_back(&self, lane: &str) -> bool {
        self.mode == Mode::Permissive && lane != self.baseline
    }

    /// The rule with its retries: two rules where the method decides.
    ///
    /// Where nothing falls back, the proxy's default stays, which sends nothing twice that may have been sent.
    pub(super) fn with_retries(&self, rule: Rule, falls_back: bool) -> Vec<Rule> {
        match self.retries {
            Retries::Never => vec![Rule { retries: Some(Resend::Never), ..rule }],
            _ if !falls_back => vec![rule],
            Retries::Always => vec![Rule { retries: Some(Resend::MaybeSent), ..rule }],
            Retries::Idempotent => by_method(&rule),
        }
    }
}

fn by_method(rule: &Rule) -> Vec<Rule> {
    let conditions = if rule.conditions.is_empty() { &[Condition::default()][..] } else { &rule.conditions };
    let idempotent: Vec<Condition> = conditions.iter().filter_map(idempotent).collect();
    let others: Vec<Condition> = conditions.iter().filter(|condition| has_others(condition)).cloned().collect();
    let mut rules = Vec::new();
    if !idempotent.is_empty() {
        let name = format!("{}-idempotent", rule.name);
        rules.push(Rule { name, conditions: idempotent, retries: Some(Resend::MaybeSent), ..rule.clone() });
    }
    if !others.is_empty() {
        let conditions = if rule.conditions.is_empty() { Vec::new() } else { others };
        rules.push(Rule { conditions, retries: Some(Resend::NotSent), ..rule.clone() });
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
        let rule = Rule { name: "r".to_owned(), conditions, destinations: Vec::new(), retries: None };
        let method = |rule: Rule| rule.conditions.first().and_then(|first| first.method.clone());
        let text = |method: StringMatch| serde_json::to_string(&method).unwrap();
        by_method(&rule).into_iter().map(|rule| method(rule).map(text)).collect()
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
