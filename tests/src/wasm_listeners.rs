//! One Envoy in which every listener runs a module with a configuration of its own.

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use anyhow::{Context, Result};
use header_edit::{Direction, HeaderList};
use local_mesh::{Envoy, EnvoyBuilder, EnvoyConfig};
use serde_json::{Map, Value, json};

use crate::{echo::Echo, http1, repository};

/// Worker threads: more than one, as anywhere in production.
const WORKERS: u32 = 2;

/// The labels of the pod that every proxy belongs to.
pub const POD_LABELS: [(&str, &str); 2] = [("ASM_TRAFFIC_TAG", "v2"), ("empty", "")];

/// A listener of its own, and the plug-in in it, which has the listener's name.
pub struct Setup<'a> {
    /// The name.
    pub name: String,
    /// The text of the `pluginConfig`, which need not be JSON.
    pub configuration: &'a str,
    /// The listener's `traffic_direction`.
    pub direction: Option<Direction>,
}

/// An Envoy with many listeners, in front of an [`Echo`].
pub struct WasmListeners {
    /// The Envoy.
    pub envoy: Envoy,
    listeners: BTreeMap<String, SocketAddr>,
}

impl WasmListeners {
    /// Runs the module in a listener for each set-up.
    ///
    /// # Errors
    /// There is no Envoy, or it does not start; with the end of its log.
    pub fn start<'a>(module: &Path, setups: impl IntoIterator<Item = Setup<'a>>) -> Result<Self> {
        let setups = setups.into_iter().map(|setup| (setup.listener(module), setup.name));
        let (listeners, names): (Vec<Value>, Vec<String>) = setups.unzip();
        Self::of(run(&bootstrap(&listeners)?)?, names)
    }

    /// Those of these names, in an Envoy that runs.
    ///
    /// # Errors
    /// There are none.
    pub fn of(envoy: Envoy, names: Vec<String>) -> Result<Self> {
        let address = |name: String| Ok((name.clone(), envoy.listener_address(&name)?));
        let listeners = names.into_iter().map(address).collect::<Result<_>>()?;
        Ok(Self { envoy, listeners })
    }

    /// Where the listener called `name` listens.
    ///
    /// # Errors
    /// There is none.
    pub fn address(&self, name: &str) -> Result<SocketAddr> {
        self.listeners.get(name).copied().with_context(|| format!("no listener {name}"))
    }

    /// Sends a request through a listener and says what arrived upstream.
    ///
    /// # Errors
    /// There is no such listener, or it did not answer 200.
    pub fn arrived(&self, listener: &str, request: &HeaderList) -> Result<HeaderList> {
        http1::arrived(self.address(listener)?, request)
    }
}

impl Setup<'_> {
    fn listener(&self, module: &Path) -> Value {
        let filter = wasm(module, &self.name, &string_value(self.configuration));
        listener(&self.name, self.direction, &[filter])
    }
}

/// Runs an Envoy with as many workers as those of listeners have.
///
/// # Errors
/// There is no Envoy, or it does not start; with the end of its log.
pub fn run(bootstrap: &Value) -> Result<Envoy> {
    builder(bootstrap)?.start()
}

/// The same, to say more of it.
///
/// # Errors
/// There is no Envoy.
pub fn builder(bootstrap: &Value) -> Result<EnvoyBuilder> {
    let config = EnvoyConfig::Text(bootstrap.to_string());
    Ok(Envoy::builder(Envoy::binary(repository())?, config).concurrency(WORKERS))
}

/// A bootstrap with these listeners and the cluster `echo`, behind which is an [`Echo`].
///
/// # Errors
/// There is no free port.
pub fn bootstrap(listeners: &[Value]) -> Result<Value> {
    let labels: Map<String, Value> =
        POD_LABELS.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    Ok(json!({
        // Discovery refuses to work for a node without a name.
        "node": {"id": "pod", "cluster": "pod", "metadata": {"LABELS": labels}},
        "admin": {"address": address(SocketAddr::from(([127, 0, 0, 1], 0)))},
        "static_resources": {"listeners": listeners, "clusters": [cluster("echo", Echo::start()?.address())]},
    }))
}

/// A cluster of one endpoint.
pub fn cluster(name: &str, endpoint: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(endpoint)}}]}],
        },
    })
}

/// A listener on a free port that runs these HTTP filters and sends everything to `echo`.
pub fn listener(name: &str, direction: Option<Direction>, filters: &[Value]) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let filters: Vec<&Value> = filters.iter().chain([&router]).collect();
    let direction = direction.map_or_else(|| "UNSPECIFIED".to_owned(), |way| format!("{way:?}").to_uppercase());
    json!({
        "name": name,
        "stat_prefix": name,
        "traffic_direction": direction,
        "address": address(SocketAddr::from(([127, 0, 0, 1], 0))),
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "test",
                "max_request_headers_kb": 96,
                "route_config": {"virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "echo"}}],
                }]},
                "http_filters": filters,
            },
        }]}],
    })
}

/// The module as an HTTP filter, as Istio sets it up.
pub fn wasm(module: &Path, plugin: &str, configuration: &Value) -> Value {
    json!({
        "name": plugin,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": plugin,
                "failure_policy": "FAIL_OPEN",
                "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}},
                "configuration": configuration,
            },
        },
    })
}

/// A `pluginConfig` as Istio delivers it.
pub fn string_value(text: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text})
}

/// An `Address`.
pub fn address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip(), "port_value": address.port()}})
}
