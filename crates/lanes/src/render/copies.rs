//! Copies of requests, in Envoy's words.

use serde_json::{Value, json};

use super::rules::Copies;
use crate::document::Spec;

impl Copies {
    /// Envoy's `RequestMirrorPolicy`. The copy alone gets the lane's tag, whatever tag the request has, so it stays in its lane
    /// at every hop (`request_headers_mutations`, from Envoy 1.36). The host stays as it is: Envoy would add `-shadow`.
    pub(super) fn policy(&self, spec: &Spec, cluster: String) -> Value {
        json!({
            "cluster": cluster,
            "runtime_fraction": {"default_value": {"numerator": self.percent, "denominator": "HUNDRED"}},
            "disable_shadow_host_suffix_append": true,
            "request_headers_mutations": [{"append": {
                "header": {"key": spec.header(), "value": self.to.tag},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }}],
        })
    }
}
