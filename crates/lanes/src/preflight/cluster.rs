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

use crate::json::without_nulls;

pub(crate) use istio::{
    Destination, DestinationRule, EnvoyFilter, FilterResource, Gateway, PortSettings, Route, Server, ServiceEntry,
    Sidecar, TrafficPolicy, VirtualService,
};
pub(crate) use kubernetes::{
    Container, Deployment, EndpointSlice, IntOrName, LabelSelector, Labels, MeshConfigMap, Meta, Namespace, Pod,
    Service, ServicePort,
};
pub use read::{KINDS, Kinds};

/// An object with its kind and its name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named<S> {
    pub(super) kind: String,
    pub(super) metadata: Meta,
    pub(super) spec: S,
}

/// A cluster by the lists of its objects, each with the groups and kinds that are in it.
macro_rules! cluster {
    ($($list:ident: $object:ty = $($group:literal $kind:literal)|+ $(if $is_one:path)?;)+) => {
        /// What is in a cluster.
        #[derive(Debug, Default)]
        pub struct Cluster {
            $(pub(super) $list: Vec<$object>,)+
            /// Kinds that were not listed, and why.
            pub(super) gaps: Vec<(String, Gap)>,
        }

        impl Cluster {
            fn append(&mut self, other: Self) {
                $(self.$list.extend(other.$list);)+
                self.gaps.extend(other.gaps);
            }

            fn add_of(&mut self, group: &str, kind: &str, object: Value) -> Result<()> {
                match (group, kind) {
                    $($(($group, $kind))|+ $(if $is_one(&object))? => self.$list.push(typed(object)?),)+
                    _ => {}
                }
                Ok(())
            }
        }
    };
}

cluster! {
    namespaces: Namespace = "" "Namespace";
    services: Named<Service> = "" "Service";
    pods: Pod = "" "Pod";
    endpoint_slices: EndpointSlice = "discovery.k8s.io" "EndpointSlice";
    deployments: Named<Deployment> = "apps" "Deployment" if Deployment::is_istiod;
    mesh_configs: MeshConfigMap = "" "ConfigMap" if MeshConfigMap::is_one;
    destination_rules: Named<DestinationRule> = "networking.istio.io" "DestinationRule";
    virtual_services: Named<VirtualService> = "networking.istio.io" "VirtualService";
    gateways: Named<Gateway> = "networking.istio.io" "Gateway";
    sidecars: Named<Sidecar> = "networking.istio.io" "Sidecar";
    service_entries: Named<ServiceEntry> = "networking.istio.io" "ServiceEntry";
    envoy_filters: Named<EnvoyFilter> = "networking.istio.io" "EnvoyFilter";
    plugins: Named<FilterResource> = "extensions.istio.io" "WasmPlugin" | "extensions.istio.io" "TrafficExtension";
    routes: Named<Route> = "gateway.networking.k8s.io" "HTTPRoute" | "gateway.networking.k8s.io" "GRPCRoute";
    api_gateways: Named<IgnoredAny> = "gateway.networking.k8s.io" "Gateway";
    gateway_classes: Named<IgnoredAny> = "gateway.networking.k8s.io" "GatewayClass";
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
    pub(super) fn all(&self) -> Vec<(&str, &Meta)> {
        fn named<S>(objects: &[Named<S>]) -> impl Iterator<Item = (&str, &Meta)> {
            objects.iter().map(|object| (object.kind.as_str(), &object.metadata))
        }
        named(&self.services)
            .chain(named(&self.destination_rules))
            .chain(named(&self.virtual_services))
            .chain(named(&self.gateways))
            .chain(named(&self.envoy_filters))
            .chain(named(&self.plugins))
            .chain(named(&self.routes))
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
}

fn typed<T: DeserializeOwned>(object: Value) -> Result<T> {
    // The API server writes an empty list as null now and then, as in `endpoints: null`.
    Ok(serde_path_to_error::deserialize(without_nulls(object))?)
}
