//! The Envoys that are measured: as plain as can be around the filter.

pub(crate) mod filter;

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Map, Value, json};

/// The path on which a proxy shows what the filters made of a request, in [`SHOWN`]. It is never measured.
pub(crate) const SHOW: &str = "/show";
pub(crate) const SHOWN: &str = "x-shown";
/// The header that the filters write.
pub(crate) const TAG: &str = "x-asm-prefer-tag";

/// A configuration.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) workers: u32,
}

/// A listener on a free port of the loopback.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) way: Way,
    pub(crate) filters: Vec<Value>,
    pub(crate) behind: Behind,
    /// What is shown, in Envoy's format, such as `%REQ(x-asm-prefer-tag)%`.
    pub(crate) shows: &'static str,
}

/// Which way requests go through a listener. It is also the listener's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Inbound,
    Outbound,
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behind {
    /// The proxy itself, so that no upstream is in the figures.
    Nobody,
    /// An upstream.
    Upstream(SocketAddr),
    /// The same, as two clusters with weights 20 and 80, chosen by a hash of the user.
    Weighted(SocketAddr),
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl Proxy {
    /// The bootstrap.
    pub(crate) fn bootstrap(&self) -> Value {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let upstreams = self.listeners.iter().filter_map(|listener| match listener.behind {
            Behind::Nobody => None,
            Behind::Upstream(address) | Behind::Weighted(address) => Some(cluster(address)),
        });
        json!({
            "node": {"id": "bench", "cluster": "bench"},
            "admin": {"address": socket(loopback)},
            "static_resources": {
                "listeners": self.listeners.iter().map(|listener| listener.config(loopback)).collect::<Vec<_>>(),
                "clusters": upstreams.collect::<Vec<_>>(),
            },
        })
    }
}

impl Listener {
    pub(crate) fn config(&self, address: SocketAddr) -> Value {
        let router = filter::typed("envoy.filters.http.router", "http.router.v3.Router", Map::new());
        let filters: Vec<&Value> = self.filters.iter().chain([&router]).collect();
        let name = self.way.name();
        json!({
            "name": name,
            "traffic_direction": name.to_uppercase(),
            "address": socket(address),
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": name,
                    "route_config": {"virtual_hosts": [{
                        "name": "all",
                        "domains": ["*"],
                        "routes": [self.route(SHOW), self.route("/")],
                    }]},
                    "http_filters": filters,
                },
            }]}],
        })
    }

    fn route(&self, prefix: &str) -> Value {
        let mut route = json!({"match": {"prefix": prefix}});
        let (action, value) = match self.behind {
            Behind::Nobody => ("direct_response", json!({"status": 200, "body": {"inline_string": "ok"}})),
            Behind::Upstream(_) => ("route", json!({"cluster": "upstream"})),
            Behind::Weighted(_) => ("route", weighted(prefix == SHOW)),
        };
        let mut add =
            |field: &str, value: Value| route.as_object_mut().map(|route| route.insert(field.to_owned(), value));
        add(action, value);
        if prefix == SHOW && !matches!(self.behind, Behind::Weighted(_)) {
            add("response_headers_to_add", json!([line(SHOWN, self.shows)]));
        }
        route
    }
}

/// Each cluster's share writes the tag that stands for it.
fn weighted(shows: bool) -> Value {
    let share = |weight: u32, tag: &str| {
        let mut share = json!({"name": "upstream", "weight": weight, "request_headers_to_add": [line(TAG, tag)]});
        if let (true, Some(share)) = (shows, share.as_object_mut()) {
            share.insert("response_headers_to_add".to_owned(), json!([line(SHOWN, tag)]));
        }
        share
    };
    json!({
        "weighted_clusters": {"clusters": [share(20, "s2"), share(80, "s1")], "use_hash_policy": true},
        "hash_policy": [{"header": {"header_name": "x-user-id"}}],
    })
}

/// A `HeaderValueOption`.
fn line(name: &str, value: &str) -> Value {
    json!({"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
}

fn cluster(address: SocketAddr) -> Value {
    json!({
        "name": "upstream",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket(address)}}]}],
        },
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip(), "port_value": address.port()}})
}
