//! The filters' modules, and how a listener takes them.

use serde_json::{Value, json};

use super::{
    File, Options,
    file::{config_source, typed},
};
use crate::{
    json::with,
    render::{
        Module,
        filter::{BAGGAGE_STRIP, Filter},
    },
};

const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
/// In place of a module that cannot be loaded: without rules it lets every request pass.
const NOTHING: &str = "envoy.extensions.filters.http.rbac.v3.RBAC";

/// A filter whose configuration is watched, so that it changes without a new listener (ECDS).
///
/// Envoy answers 500 to everything while it has neither a configuration nor a default, whatever the failure policy says.
pub(super) fn discovered(filter: &Filter) -> Value {
    let source = with(config_source(&file_name(filter)), json!({"initial_fetch_timeout": "5s"}));
    json!({
        "name": filter.name,
        "config_discovery": {
            "config_source": source,
            "default_config": typed(NOTHING, json!({})),
            "type_urls": [format!("type.googleapis.com/{WASM}"), format!("type.googleapis.com/{NOTHING}")],
        },
    })
}

/// The configuration that the listeners watch.
pub(super) fn file(filter: &Filter, options: &Options) -> anyhow::Result<File> {
    let Filter { name, module, config } = filter;
    let wasm = format!("{}.wasm", module.name().replace('-', "_"));
    // As Istio sends it. Envoy would hand a Struct over as protobuf's bytes instead of JSON.
    let configuration =
        typed("google.protobuf.StringValue", json!({"value": format!("{}\n", serde_json::to_string_pretty(config)?)}));
    let config = json!({
        "name": name,
        "failure_policy": "FAIL_OPEN",
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": options.modules.join(wasm)}},
        },
        "configuration": configuration,
    });
    let resource = json!({"name": name, "typed_config": typed(WASM, json!({ "config": config }))});
    let resource = typed("envoy.config.core.v3.TypedExtensionConfig", resource);
    File::watched(file_name(filter), comment(filter), vec![resource])
}

fn file_name(filter: &Filter) -> String {
    format!("{}.yaml", filter.name)
}

fn comment(filter: &Filter) -> &'static str {
    match filter.module {
        _ if filter.name == BAGGAGE_STRIP => {
            "The gateway's first filter (ECDS): no client chooses a lane, neither by the route header nor by its member of the baggage."
        }
        Module::HashTagging | Module::HashTaggingCookie => {
            "The gateway's filter (ECDS): the same user, the same lane. To ramp, replace this file; no request is lost."
        }
        Module::BaggagePropagation => {
            "The filter of the sidecars (ECDS). Inbound, the route header becomes a member of the request's baggage, which the\n\
            application's OpenTelemetry SDK carries to whatever it calls; outbound, the member becomes the route header again."
        }
        Module::TracePropagation => {
            "The filter of the sidecars (ECDS). Inbound, it remembers which route header came with which trace header;\n\
            outbound, it gives the route header back to requests with that trace header, which is all that the application\n\
            forwards."
        }
    }
}
