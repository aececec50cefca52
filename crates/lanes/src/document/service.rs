//! Services, and the lanes that hold them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LaneGroup, Spec};

/// A service of the call chain.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Service {
    /// The name of the Kubernetes service.
    pub name: String,
    /// Its namespace; the lane group's unless given.
    pub namespace: Option<String>,
    /// Its port, if it has one that is in the lanes.
    pub port: Option<u16>,
    /// What is spoken on `port`, as the port's name tells Istio; `http` unless given.
    #[serde(default, skip_serializing_if = "Protocol::is_http")]
    pub protocol: Protocol,
    /// The port of the pods behind `port`, if it is another.
    pub target_port: Option<TargetPort>,
    /// Its ports, if several are in the lanes. Those that are not listed stay as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ServicePort>,
    /// What the Kubernetes service selects its pods by, for Gateway API, which has a Service for each lane; `app: NAME`
    /// unless given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
}

/// A port of a service.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServicePort {
    /// The port.
    pub number: u16,
    /// What is spoken on it, as the port's name tells Istio; `http` unless given.
    #[serde(default, skip_serializing_if = "Protocol::is_http")]
    pub protocol: Protocol,
    /// The port of the pods behind it, if it is another.
    pub target_port: Option<TargetPort>,
}

/// What is spoken on a service's port.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// HTTP/2.
    Http2,
    /// gRPC.
    Grpc,
}

/// A port of pods: its number, or its name in the pods' specification.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TargetPort {
    /// Its number.
    Number(u16),
    /// Its name.
    Name(String),
}

/// A lane.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// The lane's name, which is its tag as well.
    pub name: String,
    /// The labels of its pods.
    pub labels: BTreeMap<String, String>,
    /// The services that it holds: names, or `NAME.NAMESPACE` where two have the name.
    pub services: Vec<String>,
    /// Makes it a lane for copies of the baseline's requests: nobody is in it, and it never answers.
    pub mirror: Option<LaneMirror>,
}

/// What a mirrored lane gets.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LaneMirror {
    /// Copies of how many requests of a hundred, of those that enter at the gateway for the baseline.
    pub percent: u8,
}

impl Service {
    /// Its ports, however they are written. At least one, once the document is checked.
    pub fn ports(&self) -> Vec<ServicePort> {
        if self.ports.is_empty() {
            let port = |number| ServicePort { number, protocol: self.protocol, target_port: self.target_port.clone() };
            return self.port.map(port).into_iter().collect();
        }
        self.ports.clone()
    }

    /// What the Kubernetes service selects its pods by.
    pub fn selector(&self) -> BTreeMap<String, String> {
        if self.selector.is_empty() {
            return [("app".to_owned(), self.name.clone())].into();
        }
        self.selector.clone()
    }
}

impl Spec {
    /// The lanes that get copies, and of how many requests of a hundred.
    pub fn mirrored(&self) -> impl Iterator<Item = (&Lane, u8)> {
        self.lanes.iter().filter_map(|lane| Some((lane, lane.mirror?.percent)))
    }

    /// Whether a reference may mean the service: its name, or `NAME.NAMESPACE`, as Kubernetes' DNS has it.
    pub fn is_called(&self, service: &Service, reference: &str) -> bool {
        match reference.split_once('.') {
            Some((name, namespace)) => service.name == name && service.namespace.as_deref() == Some(namespace),
            None => service.name == reference,
        }
    }

    /// The service that a reference means: one, once the document is checked.
    pub fn service(&self, reference: &str) -> Option<&Service> {
        self.services.iter().find(|service| self.is_called(service, reference))
    }

    /// Whether the lane holds the service.
    pub fn holds(&self, lane: &Lane, service: &Service) -> bool {
        lane.services.iter().any(|reference| self.service(reference) == Some(service))
    }

    /// How a service is called in the document: by its name, unless another has it too.
    pub fn reference(&self, service: &Service) -> String {
        match &service.namespace {
            Some(namespace) if self.services.iter().filter(|other| other.name == service.name).nth(1).is_some() => {
                format!("{}.{namespace}", service.name)
            }
            _ => service.name.clone(),
        }
    }
}

impl LaneGroup {
    /// The namespace of a service.
    pub fn namespace_of<'a>(&'a self, service: &'a Service) -> &'a str {
        service.namespace.as_deref().unwrap_or(&self.metadata.namespace)
    }

    /// The namespaces of the services, each once, in their order.
    pub fn namespaces(&self) -> Vec<&str> {
        let mut namespaces: Vec<&str> = Vec::new();
        for service in &self.spec.services {
            let namespace = self.namespace_of(service);
            if !namespaces.contains(&namespace) {
                namespaces.push(namespace);
            }
        }
        namespaces
    }
}

impl Protocol {
    fn is_http(&self) -> bool {
        *self == Self::Http
    }

    /// As Istio reads it from a port's name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
