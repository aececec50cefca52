//! What all resources have in common.

use crate::document::LaneGroup;

/// The label that says who wrote a resource: `lanes`.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label with the lane group's name.
pub const GROUP: &str = "trafficlanes.dev/group";
/// The label with the lane group's namespace.
pub const GROUP_NAMESPACE: &str = "trafficlanes.dev/group-namespace";
/// The label with the stage that a resource is applied in.
pub const STAGE: &str = "trafficlanes.dev/stage";

/// A kind of resource, in the version of its API that is written.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) api_version: &'static str,
    pub(super) name: &'static str,
}

impl Kind {
    pub(super) const SERVICE: Self = Self::of("v1", "Service");
    pub(super) const DESTINATION_RULE: Self = Self::of("networking.istio.io/v1", "DestinationRule");
    pub(super) const VIRTUAL_SERVICE: Self = Self::of("networking.istio.io/v1", "VirtualService");
    pub(super) const ISTIO_GATEWAY: Self = Self::of("networking.istio.io/v1", "Gateway");
    pub(super) const ENVOY_FILTER: Self = Self::of("networking.istio.io/v1alpha3", "EnvoyFilter");
    pub(super) const WASM_PLUGIN: Self = Self::of("extensions.istio.io/v1alpha1", "WasmPlugin");
    pub(super) const HIGRESS_WASM_PLUGIN: Self = Self::of("extensions.higress.io/v1alpha1", "WasmPlugin");
    pub(super) const INGRESS: Self = Self::of("networking.k8s.io/v1", "Ingress");
    pub(super) const TRAFFIC_EXTENSION: Self = Self::of("extensions.istio.io/v1alpha1", "TrafficExtension");
    pub(super) const API_GATEWAY: Self = Self::of("gateway.networking.k8s.io/v1", "Gateway");
    pub(super) const HTTP_ROUTE: Self = Self::of("gateway.networking.k8s.io/v1", "HTTPRoute");
    pub(super) const REFERENCE_GRANT: Self = Self::of("gateway.networking.k8s.io/v1beta1", "ReferenceGrant");

    pub(super) const BACKEND: Self = Self::of("gateway.envoyproxy.io/v1alpha1", "Backend");
    pub(super) const BACKEND_TRAFFIC_POLICY: Self = Self::of("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy");
    pub(super) const ENVOY_EXTENSION_POLICY: Self = Self::of("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy");
    pub(super) const HTTP_ROUTE_FILTER: Self = Self::of("gateway.envoyproxy.io/v1alpha1", "HTTPRouteFilter");

    const fn of(api_version: &'static str, name: &'static str) -> Self {
        Self { api_version, name }
    }
}

/// The namespaces that a resource is for: those of the callers or, if the document lists none, all.
pub(super) fn exports(group: &LaneGroup) -> Vec<String> {
    let callers = &group.spec.mesh.callers;
    if callers.is_empty() {
        return vec!["*".to_owned()];
    }
    let gateway = group.spec.gateway.iter().map(|_| group.gateway_pods().0);
    let mut namespaces: Vec<String> = callers.iter().cloned().chain(gateway).collect();
    namespaces.extend(group.namespaces().into_iter().map(str::to_owned));
    namespaces.sort();
    namespaces.dedup();
    namespaces
}
