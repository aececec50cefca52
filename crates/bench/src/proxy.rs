//! Envoys' configurations, and the filters in them.

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::bench::Bench;

/// The header that lanes are chosen by.
pub(crate) const TAG: &str = "x-asm-prefer-tag";
/// The header that baggage is made into: not the tag, so that no filter spares another its work.
pub(crate) const REGION: &str = "x-lane-region";

/// The configuration of an Envoy that is measured for its filters.
pub(crate) const FILTERS: &str = "envoy.yaml";
/// The configuration of one that is measured for its routes.
pub(crate) const ROUTES: &str = "routes.yaml";

/// The listener that is asked: by the name of Envoy's word for which way its requests go.
pub(crate) type Direction = &'static str;
pub(crate) const INBOUND: Direction = "INBOUND";
pub(crate) const OUTBOUND: Direction = "OUTBOUND";
/// Sends on, to one cluster.
pub(crate) const SENT: Direction = "SENT";
/// Sends on, to one of two clusters by a hash.
pub(crate) const HASHED: Direction = "HASHED";

/// A file of YAML, or of JSON, which YAML includes.
pub(crate) fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_saphyr::from_str(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// Makes `change` to every list of HTTP filters.
pub(crate) fn change_filters(config: &mut Value, change: &dyn Fn(&mut Vec<Value>)) {
    match config {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match value {
            Value::Array(filters) if name == "http_filters" => change(filters),
            value => change_filters(value, change),
        }),
        Value::Array(list) => list.iter_mut().for_each(|value| change_filters(value, change)),
        _ => {}
    }
}

/// A Proxy-Wasm module, as Istio and `lanes render` set it up.
pub(crate) fn wasm(name: &str, module: &Path, configuration: &Value) -> Value {
    let configuration =
        json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration.to_string()});
    let config = json!({
        "name": name,
        "failure_policy": "FAIL_OPEN",
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
        "configuration": configuration,
    });
    let kind = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
    json!({"name": name, "typed_config": {"@type": kind, "config": config}})
}

/// The rule in Lua.
pub(crate) fn lua(bench: &Bench) -> Value {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
    let source = json!({"filename": bench.module("tag.lua")});
    json!({"name": "lua", "typed_config": {"@type": kind, "default_source_code": source}})
}
