//! The ways in which a lane group is rendered for Istio.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use traffic_lanes_tests::repository;

/// The lane group with what no walkthrough has, which is in two namespaces.
pub(crate) const EVERYTHING: &str = "everything";
const SECOND_NAMESPACE: &str = "elsewhere";

/// A way of rendering.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// The arguments of `lanes render`.
    pub(crate) arguments: &'static [&'static str],
    /// What is different in the lane group, in YAML.
    group: &'static str,
    /// Whether the application of a walkthrough must forward the tag for it, whatever its lane group says.
    needs_forwarding: fn(&str) -> bool,
}

/// For Istio.
pub(crate) const VARIANTS: [Variant; 5] = [
    Variant { name: "VirtualServices", arguments: &["istio"], group: "{}", needs_forwarding: |_| false },
    Variant {
        name: "VirtualServices, Istio 1.31, declared",
        arguments: &["istio", "--istio=1.31"],
        group: "spec: {membership: declared}",
        needs_forwarding: |_| false,
    },
    // Waypoints run no filter.
    Variant { name: "ambient", arguments: &["istio", "--ambient"], group: "{}", needs_forwarding: |_| true },
    Variant {
        name: "Gateway API",
        arguments: &["istio", "--routing=gateway-api"],
        group: "{}",
        needs_forwarding: goes_by_source_labels,
    },
    Variant {
        name: "Gateway API, Istio 1.31, declared",
        arguments: &["istio", "--routing=gateway-api", "--istio=1.31"],
        group: "spec: {membership: declared}",
        needs_forwarding: goes_by_source_labels,
    },
];

/// For a group that assigns users.
pub(crate) const NATIVE: Variant = Variant {
    name: "native tagging",
    arguments: &["istio"],
    group: "spec: {assign: {users: {hash: xxh64, tagging: native}}}",
    needs_forwarding: |_| false,
};

/// Of `EVERYTHING`, the lanes that answer: Higress has none that get copies.
const ANSWERING: &str = "spec:
    lanes:
    - {name: stable, labels: {lane: stable}, services: [web, cart]}
    - {name: canary, labels: {lane: canary}, services: [cart]}";

/// For Higress, each with its lane groups.
pub(crate) const HIGRESS: [(&[&str], Variant); 5] = [
    (
        &["user-segment", "permissive"],
        Variant { name: "Higress", arguments: &["higress"], group: "{}", needs_forwarding: |_| false },
    ),
    (
        &[EVERYTHING],
        Variant { name: "Higress", arguments: &["higress"], group: ANSWERING, needs_forwarding: |_| false },
    ),
    (
        &["user-segment"],
        Variant {
            name: "Higress before Istio",
            arguments: &["higress", "--mesh=istio"],
            group: "{}",
            needs_forwarding: |_| false,
        },
    ),
    (
        &[EVERYTHING],
        Variant {
            name: "Higress before Istio",
            arguments: &["higress", "--mesh=istio"],
            group: ANSWERING,
            needs_forwarding: |_| false,
        },
    ),
    (
        &["permissive"],
        Variant {
            name: "Ingresses of Higress",
            arguments: &["higress", "--ingress"],
            group: "spec:
                gateway: {hosts: [shop.example.com, '*.shop.example.com']}
                routes:
                - {name: pay, service: mocka, match: [{uri: {exact: /cart/pay}}]}
                - {name: cart, service: mocka, match: [{uri: {exact: /cart}}, {uri: {prefix: /cart/}}]}
                - {name: everybody, service: mocka}
                assign: {users: {identity: [{header: x-user-id}], split: [{lane: s2, percent: 20}]}}",
            needs_forwarding: |_| false,
        },
    ),
];
/// The kind that tells an API with Higress' definitions.
pub(crate) const OF_HIGRESS: &str = "wasmplugins.extensions.higress.io";

/// For an Envoy Gateway, each with its lane groups and the kind that tells an API with the definitions that it needs.
pub(crate) const ENVOY_GATEWAY: [(&[&str], Variant, &str); 4] = [
    (
        &["user-segment", "permissive"],
        Variant { name: "Envoy Gateway", arguments: &["envoy-gateway"], group: "{}", needs_forwarding: |_| false },
        OF_ENVOY_GATEWAY,
    ),
    (
        &[EVERYTHING],
        Variant {
            name: "Envoy Gateway",
            arguments: &["envoy-gateway"],
            group: "spec:
                filters: {phase: AUTHZ, priority: null}
                lanes:
                - {name: stable, labels: {lane: stable}, services: [web, cart]}
                - {name: canary, labels: {lane: canary}, services: [cart]}",
            needs_forwarding: |_| false,
        },
        OF_ENVOY_GATEWAY,
    ),
    (
        &["strict"],
        Variant {
            name: "Envoy Gateway, users",
            arguments: &["envoy-gateway"],
            group: "spec:
                propagation: application
                assign: {users: {identity: [{header: x-user-id}], split: [{lane: s2, percent: 20, upTo: 50}, {lane: s3, percent: 0, upTo: 50}]}}",
            needs_forwarding: |_| false,
        },
        "httproutefilters.gateway.envoyproxy.io",
    ),
    // Nothing that needs another definition of Envoy Gateway's than that of the filter.
    (
        &["strict"],
        Variant {
            name: "Envoy Gateway, untagged users",
            arguments: &["envoy-gateway"],
            group: "spec:
                propagation: application
                untagged: baseline
                routes: [{name: everybody, service: mocka}]
                assign: {users: {identity: [{header: x-user-id}], split: [{lane: s2, percent: 20, upTo: 50}, {lane: s3, percent: 0, upTo: 50}]}}",
            needs_forwarding: |_| false,
        },
        "envoyextensionpolicies.gateway.envoyproxy.io",
    ),
];
const OF_ENVOY_GATEWAY: &str = "backends.gateway.envoyproxy.io";

/// For any gateway that implements Gateway API, each with its lane groups.
pub(crate) const ANY_GATEWAY: [(&[&str], Variant); 2] = [
    (
        &["strict", "permissive"],
        Variant {
            name: "any Gateway API",
            arguments: &["gateway-api", "--class=any"],
            group: "{}",
            needs_forwarding: |_| false,
        },
    ),
    (
        &[EVERYTHING],
        Variant {
            name: "any Gateway API",
            arguments: &["gateway-api", "--class=any"],
            group: "spec:
                lanes:
                - {name: stable, labels: {lane: stable}, services: [web, cart]}
                - {name: canary, labels: {lane: canary}, services: [cart]}
                routes:
                - {name: old, match: [{uri: {exact: /old}}], redirect: {uri: /new, scheme: https, port: 443, code: 308}}
                - name: checkout
                  service: cart
                  port: 9090
                  match: [{uri: {exact: /checkout}, method: {exact: POST}}]
                  lane: canary
                  timeout: 10s
                  rewrite: {uri: /pay, authority: cart.example.com}
                  cors: {allowOrigins: ['https://shop.example.com'], allowMethods: [POST], maxAge: 10m, allowCredentials: true}
                  headers: {request: {set: {x-a: '1'}, remove: [x-c]}, response: {set: {x-d: '4'}, remove: [server]}}
                - {name: cart, service: cart, port: 8080, match: [{uri: {exact: /cart}}, {uri: {prefix: /cart/}}]}
                - {name: everybody, service: web, mirror: {service: cart, namespace: elsewhere, port: 8080, percent: 5}}
                clients: mayChoose
                assign: {users: null, weights: [{lane: stable, weight: 80}, {lane: canary, weight: 20}]}",
            needs_forwarding: |_| false,
        },
    ),
];

/// An HTTPRoute does not see the labels of the calling pod.
fn goes_by_source_labels(walkthrough: &str) -> bool {
    ["strict", "strict-source-labels"].contains(&walkthrough)
}

impl Variant {
    /// The lane group of a walkthrough, or of `EVERYTHING`, in this way and in these namespaces.
    pub(crate) fn group(&self, name: &str, namespace: &str, second: &str) -> Result<String> {
        let path = match name {
            EVERYTHING => repository().join("tests/tests/cluster/everything.yaml"),
            _ => repository().join("manifests").join(name).join("lane-group.yaml"),
        };
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mut group: Value = serde_saphyr::from_str(&text.replace(SECOND_NAMESPACE, second))?;
        merge(&mut group, serde_saphyr::from_str(&self.group.replace(SECOND_NAMESPACE, second))?);
        merge(&mut group, json!({"metadata": {"namespace": namespace}}));
        if (self.needs_forwarding)(name) {
            merge(&mut group, json!({"spec": {"propagation": "application"}}));
        }
        Ok(group.to_string())
    }
}

/// Maps are merged, everything else is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
