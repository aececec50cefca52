//! The ingress.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ingress gateway.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Gateway {
    /// The labels of its pods. With Gateway API they may be left out: Istio labels the pods that it deploys for a Gateway.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// Where its pods are.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The Service of its pods: with Gateway API and `selector`, what the rendered Gateway has as its address;
    /// `istio-ingressgateway` unless given.
    #[serde(default = "default_service", skip_serializing_if = "is_default_service")]
    pub service: String,
    /// A gateway that exists: an Istio Gateway or, with Gateway API, a Gateway of that. Nothing of it is rendered.
    #[serde(rename = "ref")]
    pub reference: Option<GatewayRef>,
    /// The hosts that it serves: names, `*.` and a domain, or `*`.
    #[serde(default = "every_host")]
    pub hosts: Vec<String>,
    /// The port that it serves them on, by HTTP; 80 unless given.
    pub port: Option<u16>,
    /// Its ports, if there are several, or one with TLS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<GatewayPort>,
}

/// A port of the gateway.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GatewayPort {
    /// The port.
    pub number: u16,
    /// The Secret with the certificate, in the namespace of the gateway's pods: the port speaks HTTPS then.
    pub credential_name: Option<String>,
}

/// A gateway by its name.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayRef {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// The port of HTTP.
const HTTP: u16 = 80;
/// How Istio labels the pods that it deploys for a Gateway of Gateway API.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";
const ISTIO_SYSTEM: &str = "istio-system";
const INGRESS_GATEWAY: &str = "istio-ingressgateway";

impl Default for Gateway {
    fn default() -> Self {
        Self {
            selector: BTreeMap::new(),
            namespace: default_namespace(),
            service: default_service(),
            reference: None,
            hosts: every_host(),
            port: None,
            ports: Vec::new(),
        }
    }
}

impl Gateway {
    /// Its ports, however they are written.
    pub fn ports(&self) -> Vec<GatewayPort> {
        if self.ports.is_empty() {
            return vec![GatewayPort { number: self.port.unwrap_or(HTTP), credential_name: None }];
        }
        self.ports.clone()
    }

    /// The labels of its pods; `name` is that of its resource, for pods that Istio deploys.
    pub fn pods(&self, name: &str) -> BTreeMap<String, String> {
        if self.selector.is_empty() {
            return [(GATEWAY_NAME.to_owned(), name.to_owned())].into();
        }
        self.selector.clone()
    }

    /// Whether it serves every host.
    pub fn serves_every_host(&self) -> bool {
        self.hosts.iter().any(|host| host == "*")
    }
}

fn default_namespace() -> String {
    ISTIO_SYSTEM.to_owned()
}

fn default_service() -> String {
    INGRESS_GATEWAY.to_owned()
}

fn is_default_service(service: &str) -> bool {
    service == INGRESS_GATEWAY
}

fn every_host() -> Vec<String> {
    vec!["*".to_owned()]
}
