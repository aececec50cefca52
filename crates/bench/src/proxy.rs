//! The Envoys that are measured: as plain as can be around the filters.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::Bench;

/// The path on which a proxy shows what the filters made of a request, in [`SHOWN`]. It is never measured.
pub(crate) const SHOW: &str = "/show";
pub(crate) const SHOWN: &str = "x-shown";
/// The header that lanes are chosen by.
pub(crate) const TAG: &str = "x-asm-prefer-tag";
/// The header that baggage is made into: not the tag, so that no filter spares another its work.
pub(crate) const REGION: &str = "x-lane-region";

/// Which way requests go through a listener, by whose name Envoy knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inbound => "INBOUND",
            Self::Outbound => "OUTBOUND",
        }
    }
}

/// The bootstrap of a proxy with these filters in either direction, as a sidecar has them.
pub(crate) fn bootstrap(filters: &[Value]) -> Value {
    let listeners = [Direction::Inbound, Direction::Outbound].map(|direction| listener(direction.name(), filters));
    json!({
        "node": {"id": "bench", "cluster": "bench"},
        "admin": {"address": loopback()},
        "static_resources": {"listeners": listeners},
    })
}

/// Answers by itself, so that no upstream is in the figures.
fn listener(direction: &str, filters: &[Value]) -> Value {
    let router = typed("envoy.filters.http.router", "http.router.v3.Router", json!({}));
    let filters: Vec<&Value> = filters.iter().chain([&router]).collect();
    let answer = json!({"status": 200, "body": {"inline_string": "ok"}});
    let shown = format!("%REQ({TAG})% %REQ({REGION})% %DYNAMIC_METADATA(envoy.lb:user)%");
    let show = json!([{"header": {"key": SHOWN, "value": shown}}]);
    let routes = json!([
        {"match": {"path": SHOW}, "direct_response": answer, "response_headers_to_add": show},
        {"match": {"prefix": "/"}, "direct_response": answer},
    ]);
    let manager = json!({
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": filters,
    });
    let kind = "network.http_connection_manager.v3.HttpConnectionManager";
    let manager = typed("envoy.filters.network.http_connection_manager", kind, manager);
    json!({
        "name": direction,
        "traffic_direction": direction,
        "address": loopback(),
        "filter_chains": [{"filters": [manager]}],
    })
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
    typed(name, "http.wasm.v3.Wasm", json!({"config": config}))
}

/// The rule in Lua.
pub(crate) fn lua(bench: &Bench) -> Value {
    typed("lua", "http.lua.v3.Lua", json!({"default_source_code": {"filename": bench.module("tag.lua")}}))
}

/// A filter that comes with Envoy, from `modules/`.
pub(crate) fn native(bench: &Bench, file: &str) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(bench.module(file))?)?)
}

/// A `TypedExtensionConfig`; `kind` is below `envoy.extensions.filters`.
fn typed(name: &str, kind: &str, mut config: Value) -> Value {
    if let Some(fields) = config.as_object_mut() {
        fields.insert("@type".to_owned(), format!("type.googleapis.com/envoy.extensions.filters.{kind}").into());
    }
    json!({"name": name, "typed_config": config})
}

/// A free port of the loopback.
fn loopback() -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}})
}
