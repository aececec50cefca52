//! The filters' configurations, each read by the filter's own code.

use baggage_propagation::Propagator as BaggagePropagator;
use hash_tagging::Tagger;
use plugin_config::{Problem, Refused};
use serde_json::Value;
use trace_propagation::Propagator as TracePropagator;

/// Fields that tell one filter's configuration from another's.
const TRACE_FIELDS: [&str; 2] = ["traceHeader", "routeHeaders"];
const BAGGAGE_FIELDS: [&str; 3] = ["members", "headers", "headerPrefixes"];

/// Reads a `pluginConfig` as the filter that it is for does; gives what is doubtful about it.
///
/// # Errors
/// The filter refuses it, or it is for none of the filters.
pub fn read(config: &Value) -> Result<Vec<Problem>, Refused> {
    let has = |fields: &[&str]| fields.iter().any(|field| config.get(field).is_some());
    let json = config.to_string();
    if has(&["rules"]) {
        Tagger::parse(json.as_bytes()).map(|tagger| tagger.warnings().to_vec())
    } else if has(&TRACE_FIELDS) {
        // Which labels a pod has is for the pod to say.
        let any_label = |_: &str| Some(b"any".to_vec());
        TracePropagator::parse(json.as_bytes(), any_label).map(|propagator| propagator.warnings().to_vec())
    } else if has(&BAGGAGE_FIELDS) {
        BaggagePropagator::parse(json.as_bytes()).map(|_| Vec::new())
    } else {
        let message = "no filter's configuration: expected `rules` (hash tagging), `traceHeader` (trace propagation) or \
            `members`, `headers` or `headerPrefixes` (baggage propagation)";
        Err(Refused(vec![Problem::new("", message)]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_filter_reads_its_own() {
        let refused = |config: Value| read(&config).unwrap_err().to_string();
        assert!(refused(json!({"rules": []})).starts_with("rules: "));
        assert!(refused(json!({"traceHeader": "x", "routeHeaders": []})).starts_with("routeHeaders"));
        assert!(refused(json!({"members": [{"key": "a b", "header": "x"}]})).starts_with("members[0].key: "));
        assert!(refused(json!({"rule": []})).starts_with("no filter's configuration"));
        assert_eq!(read(&json!({"members": [{"key": "lane", "header": "x"}]})), Ok(Vec::new()));
        assert_eq!(read(&json!({"traceHeader": "x-request-id", "routeHeaders": ["x"]})), Ok(Vec::new()));
    }
}
