//! A cluster's objects: of each, what decides anything.

mod istio;
mod kubernetes;
mod read;

use anyhow::{Context, Result};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

pub(super) use istio::{
    Destination, DestinationRule, EnvoyFilter, Gateway, Plugin, PortSettings, Route, Server, ServiceEntry, Sidecar,
    TrafficPolicy, VirtualService,
};
pub(super) use kubernetes::{
    Container, Deployment, EndpointSlice, IntOrName, LabelSelector, Labels, MeshConfigMap, Meta, Namespace, Pod,
    Service, ServicePort,
};
pub use read::{KINDS, Kinds};

/// An object with its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named<S> {
    pub(super) metadata: Meta,
    pub(super) spec: S,
}

/// What is in a cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    pub(super) namespaces: Vec<Namespace>,
    pub(super) services: Vec<Named<Service>>,
    pub(super) pods: Vec<Pod>,
    pub(super) endpoint_slices: Vec<EndpointSlice>,
    pub(super) deployments: Vec<Named<Deployment>>,
    pub(super) mesh_configs: Vec<MeshConfigMap>,
    pub(super) destination_rules: Vec<Named<DestinationRule>>,
    pub(super) virtual_services: Vec<Named<VirtualService>>,
    pub(super) gateways: Vec<Named<Gateway>>,
    pub(super) sidecars: Vec<Named<Sidecar>>,
    pub(super) service_entries: Vec<Named<ServiceEntry>>,
    pub(super) envoy_filters: Vec<Named<EnvoyFilter>>,
    /// WasmPlugins and TrafficExtensions, with their kinds.
    pub(super) plugins: Vec<(&'static str, Named<Plugin>)>,
    /// HTTPRoutes and GRPCRoutes, with their kinds.
    pub(super) routes: Vec<(&'static str, Named<Route>)>,
    /// Gateways of Gateway API.
    pub(super) api_gateways: Vec<Meta>,
    /// Classes of them.
    pub(super) gateway_classes: Vec<Meta>,
    /// Kinds that were not listed, and why.
    pub(super) gaps: Vec<(String, Gap)>,
}

/// Why the objects of a kind could not be listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gap {
    /// The cluster does not know the kind.
    Unknown,
    /// Whoever asked may not list them.
    Refused,
}

impl Cluster {
    /// Says that objects of a kind could not be listed, and why.
    pub fn lacks(&mut self, kind: impl Into<String>, why: Gap) {
        self.gaps.push((kind.into(), why));
    }

    pub(super) fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.metadata.name == name)
    }

    /// What a lane group may be applied as, by kind and name.
    pub(super) fn all(&self) -> Vec<(&'static str, &Meta)> {
        fn named<'a, S>(kind: &'static str, objects: &'a [Named<S>]) -> impl Iterator<Item = (&'static str, &'a Meta)> {
            objects.iter().map(move |object| (kind, &object.metadata))
        }
        let plugins = self.plugins.iter().map(|(kind, plugin)| (*kind, &plugin.metadata));
        let routes = self.routes.iter().map(|(kind, route)| (*kind, &route.metadata));
        named("Service", &self.services)
            .chain(named("DestinationRule", &self.destination_rules))
            .chain(named("VirtualService", &self.virtual_services))
            .chain(named("Gateway", &self.gateways))
            .chain(named("EnvoyFilter", &self.envoy_filters))
            .chain(plugins)
            .chain(routes)
            .collect()
    }

    /// Takes an object, if its kind matters.
    fn add(&mut self, object: Value) -> Result<()> {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("/apiVersion").to_owned(), text("/kind").to_owned());
        let name = format!("{kind} {}/{}", text("/metadata/namespace"), text("/metadata/name"));
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.add_of(group, &kind, object).with_context(|| format!("{name} cannot be read"))
    }

    fn add_of(&mut self, group: &str, kind: &str, object: Value) -> Result<()> {
        match (group, kind) {
            ("", "Namespace") => self.namespaces.push(typed(object)?),
            ("", "Service") => self.services.push(typed(object)?),
            ("", "Pod") => self.pods.push(typed(object)?),
            ("", "ConfigMap") if MeshConfigMap::is_one(&object) => self.mesh_configs.push(typed(object)?),
            ("discovery.k8s.io", "EndpointSlice") => self.endpoint_slices.push(typed(object)?),
            ("apps", "Deployment") if Deployment::is_istiod(&object) => self.deployments.push(typed(object)?),
            ("networking.istio.io", "DestinationRule") => self.destination_rules.push(typed(object)?),
            ("networking.istio.io", "VirtualService") => self.virtual_services.push(typed(object)?),
            ("networking.istio.io", "Gateway") => self.gateways.push(typed(object)?),
            ("networking.istio.io", "Sidecar") => self.sidecars.push(typed(object)?),
            ("networking.istio.io", "ServiceEntry") => self.service_entries.push(typed(object)?),
            ("networking.istio.io", "EnvoyFilter") => self.envoy_filters.push(typed(object)?),
            ("extensions.istio.io", "WasmPlugin") => self.plugins.push(("WasmPlugin", typed(object)?)),
            ("extensions.istio.io", "TrafficExtension") => self.plugins.push(("TrafficExtension", typed(object)?)),
            ("gateway.networking.k8s.io", "HTTPRoute") => self.routes.push(("HTTPRoute", typed(object)?)),
            ("gateway.networking.k8s.io", "GRPCRoute") => self.routes.push(("GRPCRoute", typed(object)?)),
            ("gateway.networking.k8s.io", "Gateway") => {
                self.api_gateways.push(typed::<Named<IgnoredAny>>(object)?.metadata)
            }
            ("gateway.networking.k8s.io", "GatewayClass") => {
                self.gateway_classes.push(typed::<Named<IgnoredAny>>(object)?.metadata)
            }
            _ => {}
        }
        Ok(())
    }
}

fn typed<T: DeserializeOwned>(object: Value) -> Result<T> {
    Ok(serde_path_to_error::deserialize(without_nulls(object))?)
}

/// The API server writes an empty list as null now and then, as in `endpoints: null`.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
