//! What is sent again when a pod of a lane dies.
//!
//! Between the crash of a pod and its discovery, a request to it fails although the baseline could answer. A method that
//! HTTP calls idempotent may be sent again even if the request has reached the pod; any other only if it cannot have.

use super::virtual_service::{HttpMatch, HttpRetry, HttpRoute};
use crate::document::{Mode, Retries, Spec, StringMatch};

/// RFC 9110, section 9.2.2.
const IDEMPOTENT: [&str; 6] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
/// The request cannot have reached the application. Istio's own default.
const NOT_SENT: &str = "connect-failure,refused-stream,unavailable,cancelled";
/// It may have. Without `reset`, requests in flight are lost with the pod.
const MAYBE_SENT: &str = "connect-failure,refused-stream,unavailable,cancelled,503,reset";

impl Spec {
    /// Whether requests to the lane can be answered by the baseline.
    pub(super) fn falls_back(&self, lane: &str) -> bool {
        self.mode == Mode::Permissive && lane != self.baseline
    }

    /// The rule with its retries: two rules where the method decides.
    ///
    /// Where nothing falls back, Istio's default stays, which sends nothing twice that may have been sent.
    pub(super) fn with_retries(&self, rule: HttpRoute, falls_back: bool) -> Vec<HttpRoute> {
        match self.retries {
            Retries::Never => vec![HttpRoute { retries: Some(NEVER), ..rule }],
            _ if !falls_back => vec![rule],
            Retries::Always => vec![HttpRoute { retries: Some(when(MAYBE_SENT)), ..rule }],
            Retries::Idempotent => by_method(&rule),
        }
    }
}

const NEVER: HttpRetry = HttpRetry { attempts: 0, retry_on: None, retry_remote_localities: None };

const fn when(retry_on: &'static str) -> HttpRetry {
    HttpRetry { attempts: 2, retry_on: Some(retry_on), retry_remote_localities: Some(true) }
}

fn by_method(rule: &HttpRoute) -> Vec<HttpRoute> {
    let matches = if rule.matches.is_empty() { &[HttpMatch::default()][..] } else { &rule.matches };
    let idempotent: Vec<HttpMatch> = matches.iter().filter_map(idempotent).collect();
    let others: Vec<HttpMatch> = matches.iter().filter(|condition| has_others(condition)).cloned().collect();
    let mut rules = Vec::new();
    if !idempotent.is_empty() {
        let name = format!("{}-idempotent", rule.name);
        rules.push(HttpRoute { name, matches: idempotent, retries: Some(when(MAYBE_SENT)), route: rule.route.clone() });
    }
    if !others.is_empty() {
        let matches = if rule.matches.is_empty() { Vec::new() } else { others };
        rules.push(HttpRoute { matches, retries: Some(when(NOT_SENT)), ..rule.clone() });
    }
    rules
}

/// The condition for those idempotent methods that it allows.
fn idempotent(condition: &HttpMatch) -> Option<HttpMatch> {
    let allowed = |method: &&str| condition.method.as_ref().is_none_or(|asked| asked.holds(method.as_bytes()));
    let methods: Vec<&str> = IDEMPOTENT.into_iter().filter(allowed).collect();
    let method = match methods.as_slice() {
        [] => return None,
        [method] => StringMatch::Exact((*method).to_owned()),
        methods => StringMatch::Regex(methods.join("|")),
    };
    Some(HttpMatch { method: Some(method), ..condition.clone() })
}

/// Whether it may hold for a method that is not idempotent.
fn has_others(condition: &HttpMatch) -> bool {
    !matches!(&condition.method, Some(StringMatch::Exact(method)) if IDEMPOTENT.contains(&method.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(method: Option<StringMatch>) -> Vec<Option<String>> {
        let matches = vec![HttpMatch { method, ..HttpMatch::default() }];
        let rule = HttpRoute { name: "r".to_owned(), matches, route: Vec::new(), retries: None };
        let method = |rule: HttpRoute| rule.matches.first().and_then(|first| first.method.clone());
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
