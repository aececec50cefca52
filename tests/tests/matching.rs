//! Which requests a rule's `match` and a route of the same Envoy take: the same, however a client writes host and path, and
//! whatever the listener makes of the path.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, net::SocketAddr};

use header_edit::HeaderList;
use local_mesh::Envoy;
use serde_json::{Map, Value, json};
use traffic_lanes_tests::{
    filter::Filter,
    http1, repository,
    wasm_listeners::{bootstrap, listener, run, string_value, wasm},
};

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// Route and rule took it.
    Both,
    /// Neither did.
    Neither,
    /// Envoy answered by itself.
    Answered(u16),
}

use Outcome::{Answered, Both, Neither};

const REDIRECTED: Outcome = Answered(307);
const BAD: Outcome = Answered(400);

const HOSTS: [&str; 3] = ["shop.example.com", "*.below.example.com", "[::1]"];
const HOST: &str = "shop.example.com";

/// Hosts, and what becomes of them where nothing is said about the path.
const BY_HOST: [(&str, Outcome); 24] = [
    ("shop.example.com", Both),
    ("SHOP.Example.com", Both),
    ("shop.example.com:80", Both),
    ("shop.example.com:", Both),
    ("shop.example.com:abc", Both),
    ("Shop.Example.Com:x", Both),
    ("shop.example.com:80:80", Neither),
    ("shop.example.com:[80]", Neither),
    ("shop.example.com:80]", Neither),
    ("shop.example.com.", Neither),
    ("shop.example.com.:80", Neither),
    ("ashop.example.com", Neither),
    ("a.below.example.com", Both),
    ("a.b.below.example.com:x", Both),
    ("below.example.com", Neither),
    (".below.example.com:80", Neither),
    ("[::1]", Both),
    ("[::1]:80", Both),
    ("[::1]:x", Both),
    ("[::1]:", Both),
    ("[::1", Neither),
    ("::1", Neither),
    ("a:b:c", Neither),
    ("", Neither),
];

/// What a listener makes of a path.
#[derive(Clone, Copy, Debug)]
enum Normalization {
    /// Envoy's default.
    Nothing,
    /// Istio's default.
    Base,
    /// What `lanes render envoy` writes.
    Gateway,
}

const NORMALIZATIONS: [Normalization; 3] = [Normalization::Nothing, Normalization::Base, Normalization::Gateway];

/// Paths, and what becomes of them under each normalization where the prefix `/checkout` is asked for.
const BY_PREFIX: [(&str, [Outcome; 3]); 27] = [
    ("/checkout", [Both; 3]),
    ("/checkouts/1", [Both; 3]),
    ("/checkout?a=/b", [Both; 3]),
    ("/checkout?a#b", [BAD; 3]),
    ("/checkout#b", [BAD; 3]),
    ("/checkout;a=b", [Both; 3]),
    ("/a;b/checkout", [Neither; 3]),
    ("/checkout//", [Both; 3]),
    ("//checkout", [Neither, Neither, Both]),
    ("/./checkout", [Neither, Both, Both]),
    ("/a/../checkout", [Neither, Both, Both]),
    ("/a/%2e%2E/checkout", [Neither, Both, Both]),
    ("/a%3f/../checkout", [Neither, Both, Both]),
    ("/a?/../checkout", [Neither; 3]),
    ("/%63heckout", [Neither, Both, Both]),
    ("/%43heckout", [Neither; 3]),
    ("/Checkout", [Neither; 3]),
    ("/%2Fcheckout", [Neither, Neither, REDIRECTED]),
    ("/%5ccheckout", [Neither, Neither, REDIRECTED]),
    ("/a/..%2fcheckout", [Neither, Neither, REDIRECTED]),
    ("/\\checkout", [Neither, Neither, Both]),
    ("/checkout%", [Both; 3]),
    ("/checkout%zz", [Both; 3]),
    ("/checkout%00", [Both, BAD, BAD]),
    ("/checkout%23", [Both; 3]),
    ("http://shop.example.com/checkout", [Both; 3]),
    ("http://other.example.com/checkout", [Neither; 3]),
];

/// The same where exactly `/checkout` is asked for.
const BY_PATH: [(&str, [Outcome; 3]); 12] = [
    ("/checkout", [Both; 3]),
    ("/checkout?", [Both; 3]),
    ("/checkout?a=b", [Both; 3]),
    ("/checkout#", [BAD; 3]),
    ("/checkout/", [Neither; 3]),
    ("/checkout;a", [Neither; 3]),
    ("/checkout%3Fa", [Neither; 3]),
    ("/checkout%23a", [Neither; 3]),
    ("//checkout", [Neither, Neither, Both]),
    ("/../checkout", [Neither, Both, Both]),
    ("/checkou%74", [Neither, Both, Both]),
    ("/checkout%2F", [Neither, Neither, REDIRECTED]),
];

/// An Envoy with a listener for each way to match and each normalization.
struct Gateway(Envoy);

impl Gateway {
    fn start() -> Self {
        let ways = [
            ("host", json!({"hosts": HOSTS}), json!({"prefix": "/"})),
            ("prefix", json!({"hosts": HOSTS, "path": {"prefix": "/checkout"}}), json!({"prefix": "/checkout"})),
            ("path", json!({"hosts": HOSTS, "path": {"exact": "/checkout"}}), json!({"path": "/checkout"})),
        ];
        let listeners: Vec<Value> = ways
            .iter()
            .flat_map(|(way, rule, route)| {
                NORMALIZATIONS.map(|normalization| matching_listener(way, normalization, rule, route))
            })
            .collect();
        Self(run(&bootstrap(&listeners).unwrap()).unwrap())
    }

    fn address(&self, way: &str, normalization: Normalization) -> SocketAddr {
        self.0.listener_address(&format!("{way}-{normalization:?}")).unwrap()
    }

    /// What became of the request, on which route and rule agree.
    fn outcome(&self, way: &str, normalization: Normalization, host: &str, path: &str) -> Outcome {
        let request = [(":authority", host), (":method", "GET"), (":path", path), ("x-user-id", "jessie")];
        let response = http1::send(self.address(way, normalization), &request.into_iter().collect()).unwrap();
        if response.status != 200 {
            return Answered(response.status);
        }
        let arrived: HeaderList = http1::decode(&response.body).unwrap();
        let (route, rule) = (arrived.all("route").next().is_some(), arrived.all("rule").next().is_some());
        assert_eq!(rule, route, "rule and route: {way} of `{host}` `{path}`, normalization {normalization:?}");
        if route { Both } else { Neither }
    }

    fn paths(&self, way: &str, cases: &[(&str, [Outcome; 3])]) {
        for (path, expected) in cases {
            let seen = NORMALIZATIONS.map(|normalization| self.outcome(way, normalization, HOST, path));
            assert_eq!(seen, *expected, "{path}");
        }
    }
}

/// The rule writes the header `rule`, the route the header `route`.
fn matching_listener(way: &str, normalization: Normalization, rule: &Value, route: &Value) -> Value {
    let rule = json!({"rules": [{
        "match": rule, "header": "x-user-id", "modulo": 1, "tagHeader": "rule",
        "policies": [{"range": 1, "tagValue": "took it"}],
    }]});
    let name = format!("{way}-{normalization:?}");
    let filter = wasm(&Filter::HashTagging.module().unwrap(), &name, &string_value(&rule.to_string()));
    let to_echo = |matcher: &Value| json!({"match": matcher, "route": {"cluster": "echo"}});
    let mut taken = to_echo(route);
    let added = json!([{"header": {"key": "route", "value": "took it"}}]);
    taken.as_object_mut().unwrap().insert("request_headers_to_add".to_owned(), added);
    let others = to_echo(&json!({"prefix": "/"}));
    let routes = json!({
        // As Istio's gateways and ours.
        "ignore_port_in_host_matching": true,
        "virtual_hosts": [
            {"name": "shop", "domains": HOSTS, "routes": [taken, others]},
            {"name": "others", "domains": ["*"], "routes": [others]},
        ],
    });
    let mut listener = listener(&name, None, &[filter]);
    let manager = listener.pointer_mut("/filter_chains/0/filters/0/typed_config").unwrap().as_object_mut().unwrap();
    manager.insert("route_config".to_owned(), routes);
    manager.extend(normalization.fields());
    listener
}

impl Normalization {
    /// The fields of the HTTP connection manager.
    fn fields(self) -> Map<String, Value> {
        let fields = match self {
            Self::Nothing => json!({}),
            Self::Base => json!({"normalize_path": true}),
            Self::Gateway => rendered_manager(),
        };
        let names = ["normalize_path", "merge_slashes", "path_with_escaped_slashes_action"];
        names.iter().filter_map(|name| Some(((*name).to_owned(), fields.get(name)?.clone()))).collect()
    }
}

/// The connection manager of a gateway that the tool has rendered.
fn rendered_manager() -> Value {
    let text = fs::read_to_string(repository().join("envoy/user-segment/gateway.yaml")).unwrap();
    let gateway: Value = serde_saphyr::from_str(&text).unwrap();
    gateway.pointer("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config").unwrap().clone()
}

#[test]
fn a_rule_takes_what_the_route_takes() {
    let gateway = Gateway::start();
    for (host, expected) in BY_HOST {
        let seen = NORMALIZATIONS.map(|normalization| gateway.outcome("host", normalization, host, "/"));
        assert_eq!(seen, [expected; 3], "{host}");
    }
    gateway.paths("prefix", &BY_PREFIX);
    gateway.paths("path", &BY_PATH);
}
