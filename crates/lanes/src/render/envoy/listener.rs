//! Listeners (`envoy.config.listener.v3.Listener`).

use serde_json::{Value, json};

use super::{
    clusters, extension,
    file::{config_source, typed},
};
use crate::{json::with, render::filter::Filter};

/// Where a proxy takes requests.
pub(super) struct Listener<'a> {
    /// The listener's name, and the prefix of its statistics.
    pub(super) name: &'static str,
    /// What the filters read as `xds.listener_direction`.
    pub(super) direction: &'static str,
    pub(super) address: &'a str,
    pub(super) port: u16,
}

impl Listener<'_> {
    /// With what is special about its HTTP connection manager.
    pub(super) fn render(&self, special: Value, filters: &[Filter]) -> Value {
        let router = typed("envoy.extensions.filters.http.router.v3.Router", json!({}));
        let router = json!({"name": "envoy.filters.http.router", "typed_config": router});
        let filters: Vec<Value> = filters.iter().map(extension::discovered).chain([router]).collect();
        let manager = with(json!({"stat_prefix": self.name}), special);
        let manager = with(manager, json!({ "http_filters": filters }));
        let manager =
            typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", manager);
        json!({
            "name": self.name,
            "traffic_direction": self.direction,
            "address": {"socket_address": {"address": self.address, "port_value": self.port}},
            "filter_chains": [
                {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]},
            ],
        })
    }
}

/// Routes from the file of their name.
pub(super) fn rds(name: &str) -> Value {
    json!({"route_config_name": name, "config_source": config_source(&format!("{name}.yaml"))})
}

/// Nothing but the statistics, for who collects them: the rest of the administration interface stays the pod's own.
pub(super) fn stats(port: u16) -> Value {
    let route = json!({"match": {"path": "/stats/prometheus"}, "route": {"cluster": clusters::ADMIN}});
    let hosts = json!([{"name": "stats", "domains": ["*"], "routes": [route]}]);
    let listener = Listener { name: "stats", direction: "INBOUND", address: "0.0.0.0", port };
    listener.render(json!({"route_config": {"virtual_hosts": hosts}}), &[])
}
