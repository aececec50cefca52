//! HTTP filters that tag a request, each in the way it is meant to be used.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::TAG;

const LUA: &str = include_str!("../../modules/tag.lua");

/// A Proxy-Wasm module, as Istio and `lanes render` set it up.
pub(crate) fn wasm(name: &str, module: &Path, configuration: &Value) -> Value {
    let config = json!({
        "name": name,
        "failure_policy": "FAIL_OPEN",
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
        "configuration": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": configuration.to_string(),
        },
    });
    typed(name, "http.wasm.v3.Wasm", [("config".to_owned(), config)].into_iter().collect())
}

/// The rule in Lua.
pub(crate) fn lua() -> Value {
    let source = ("default_source_code".to_owned(), json!({"inline_string": LUA}));
    typed("lua", "http.lua.v3.Lua", [source].into_iter().collect())
}

/// The nearest that header_to_metadata comes to it: it decides nothing, and copies the user into metadata.
pub(crate) fn header_to_metadata() -> Value {
    let rules = json!([{
        "header": "x-user-id",
        "on_header_present": {"metadata_namespace": "envoy.lb", "key": "user", "type": "STRING"},
    }]);
    let rules = ("request_rules".to_owned(), rules);
    typed("header-to-metadata", "http.header_to_metadata.v3.Config", [rules].into_iter().collect())
}

/// Envoy's own hash of the user, modulo 100: below 20 one tag, else the other.
pub(crate) fn consistent_hashing() -> Value {
    let user = json!({
        "name": "user",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
            "header_name": "x-user-id",
        },
    });
    let at_least_20 = json!({
        "name": "at-least-20",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.matching.input_matchers.consistent_hashing.v3.ConsistentHashing",
            "threshold": 20,
            "modulo": 100,
        },
    });
    json!({
        "name": "consistent-hashing",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            "extension_config": typed("composite", "http.composite.v3.Composite", Map::new()),
            "xds_matcher": {
                "matcher_list": {"matchers": [{
                    "predicate": {"single_predicate": {"input": user, "custom_match": at_least_20}},
                    "on_match": {"action": write_tag("s1")},
                }]},
                "on_no_match": {"action": write_tag("s2")},
            },
        },
    })
}

fn write_tag(tag: &str) -> Value {
    let mutations = json!({"request_mutations": [{"append": super::line(TAG, tag)}]});
    let mutations = [("mutations".to_owned(), mutations)].into_iter().collect();
    let filter = typed("header-mutation", "http.header_mutation.v3.HeaderMutation", mutations);
    let filter = [("typed_config".to_owned(), filter)].into_iter().collect();
    typed("write-tag", "http.composite.v3.ExecuteFilterAction", filter)
}

/// A `TypedExtensionConfig`; `kind` is below `envoy.extensions.filters`.
pub(super) fn typed(name: &str, kind: &str, mut config: Map<String, Value>) -> Value {
    config.insert("@type".to_owned(), format!("type.googleapis.com/envoy.extensions.filters.{kind}").into());
    json!({"name": name, "typed_config": config})
}
