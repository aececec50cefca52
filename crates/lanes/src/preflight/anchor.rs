//! The names of what can be found. Each is a section of docs/preflight.md.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::finding::Severity;

/// What a finding is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// What lets requests in.
    Gateway,
    /// The services of the lane group.
    Services,
    /// Their pods.
    Pods,
    /// What others have in the cluster for the same hosts and proxies.
    OtherResources,
    /// What the mesh is configured to do.
    Mesh,
    /// Which Istio it is.
    Versions,
}

macro_rules! anchors {
    ($($(#[doc = $doc:literal])+ $anchor:ident, $name:literal, $section:ident, $severity:ident;)+) => {
        /// The name of something that can be found.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum Anchor {
            $($(#[doc = $doc])+ $anchor,)+
        }

        impl Anchor {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$anchor,)+];

            /// The name, which never changes.
            pub fn name(self) -> &'static str {
                match self { $(Self::$anchor => $name,)+ }
            }

            /// What it is about.
            pub fn section(self) -> Section {
                match self { $(Self::$anchor => Section::$section,)+ }
            }

            /// How bad it is, where nothing makes it less so.
            pub fn severity(self) -> Severity {
                match self { $(Self::$anchor => Severity::$severity,)+ }
            }
        }
    };
}

anchors! {
    /// No pod has the gateway's labels.
    GatewayWithoutPods, "gateway-without-pods", Gateway, Error;
    /// The gateway's pods are in another namespace.
    GatewayElsewhere, "gateway-elsewhere", Gateway, Error;
    /// No Service leads to the gateway's port.
    GatewayPortNotExposed, "gateway-port-not-exposed", Gateway, Warning;
    /// Another Gateway has the port for another protocol.
    GatewayPortTaken, "gateway-port-taken", Gateway, Error;
    /// Another Gateway redirects the hosts to HTTPS.
    GatewayRedirects, "gateway-redirects", Gateway, Error;
    /// Another VirtualService has the hosts at the gateway.
    GatewayHostTaken, "gateway-host-taken", Gateway, Error;
    /// A Gateway that the group names is not there.
    GatewayMissing, "gateway-missing", Gateway, Error;
    /// The Service of the gateway's pods is not there.
    GatewayServiceMissing, "gateway-service-missing", Gateway, Error;
    /// Istio looks for a gateway's resources in its pods' namespace only.
    GatewayScopedToNamespace, "gateway-scoped-to-namespace", Gateway, Error;
    /// A namespace of the group is not there, or is going away.
    NamespaceMissing, "namespace-missing", Services, Error;
    /// A service is not there.
    ServiceMissing, "service-missing", Services, Error;
    /// The Service is another name for something outside.
    ServiceExternalName, "service-external-name", Services, Error;
    /// The Service has no address of its own.
    ServiceHeadless, "service-headless", Services, Error;
    /// The Service does not say which pods are its.
    ServiceWithoutSelector, "service-without-selector", Services, Error;
    /// The Service's selector selects no pod.
    ServiceWithoutPods, "service-without-pods", Services, Error;
    /// The Service's selector leaves a lane's pods out.
    ServiceLeavesOutPods, "service-leaves-out-pods", Services, Error;
    /// The Service does not have the port.
    ServiceAnotherPort, "service-another-port", Services, Error;
    /// The port does not lead to any port of a pod.
    ServiceTargetPort, "service-target-port", Services, Error;
    /// The port speaks something else.
    ServiceProtocol, "service-protocol", Services, Error;
    /// The Service has ports that are not in the lanes.
    ServiceSeveralPorts, "service-several-ports", Services, Warning;
    /// The Service prefers near endpoints.
    ServiceTrafficDistribution, "service-traffic-distribution", Services, Error;
    /// The Service keeps requests on their node.
    ServiceNodeLocal, "service-node-local", Services, Error;
    /// The Service has its unready pods taken for ready.
    ServicePublishesUnready, "service-publishes-unready", Services, Warning;
    /// The Service selects other pods than the lanes' Services would.
    ServiceAnotherSelector, "service-another-selector", Services, Error;
    /// The Service's port leads to another port than the lanes' Services would.
    ServiceAnotherTargetPort, "service-another-target-port", Services, Error;
    /// Callers do not see the Service.
    ServiceNotExported, "service-not-exported", Services, Error;
    /// Pods of a service have no lane's label.
    PodWithoutLaneLabel, "pod-without-lane-label", Pods, Error;
    /// Pods of a service have a label that no lane has.
    PodWithUnknownLaneLabel, "pod-with-unknown-lane-label", Pods, Error;
    /// Pods have the label of a lane that has no place for their service.
    PodOfUndeclaredService, "pod-of-undeclared-service", Pods, Error;
    /// A lane has no ready pod of a service that it holds.
    LaneWithoutReadyPods, "lane-without-ready-pods", Pods, Error;
    /// A namespace's pods get no sidecar.
    NamespaceNotInjected, "namespace-not-injected", Pods, Error;
    /// Pods have no sidecar although their namespace has them injected.
    PodNotInjected, "pod-not-injected", Pods, Error;
    /// Ambient pods without a waypoint.
    AmbientWithoutWaypoint, "ambient-without-waypoint", Pods, Error;
    /// Ambient pods, and the group is for sidecars.
    AmbientNotAsked, "ambient-not-asked", Pods, Error;
    /// The waypoint has another name than the group's fallback is for.
    AmbientAnotherWaypoint, "ambient-another-waypoint", Pods, Error;
    /// An object of others has the name of one that would be applied.
    NameTaken, "name-taken", OtherResources, Error;
    /// Resources of the group that are not rendered any more.
    Leftover, "leftover", OtherResources, Warning;
    /// The resources of another lane group for the same service.
    AnotherLaneGroup, "another-lane-group", OtherResources, Error;
    /// A DestinationRule that callers get instead of the group's.
    DestinationRuleInCallersNamespace, "destination-rule-in-callers-namespace", OtherResources, Error;
    /// A DestinationRule that some pods get instead of the group's.
    DestinationRuleForSomePods, "destination-rule-for-some-pods", OtherResources, Error;
    /// A DestinationRule for the same host that ejects pods.
    DestinationRuleWithOutlierDetection, "destination-rule-with-outlier-detection", OtherResources, Error;
    /// A DestinationRule for the same host that Istio does not merge with the group's.
    DestinationRuleNotMerged, "destination-rule-not-merged", OtherResources, Error;
    /// A DestinationRule for the same host with a subset of a lane's name.
    DestinationRuleWithTheSameSubsets, "destination-rule-with-the-same-subsets", OtherResources, Error;
    /// A DestinationRule for the same host with subsets of its own.
    DestinationRuleWithSubsets, "destination-rule-with-subsets", OtherResources, Warning;
    /// A DestinationRule that stops counting for the group's services.
    DestinationRuleOverruled, "destination-rule-overruled", OtherResources, Warning;
    /// A VirtualService for the same host.
    VirtualServiceForTheHost, "virtual-service-for-the-host", OtherResources, Error;
    /// A VirtualService that stops counting for the group's services.
    VirtualServiceOverruled, "virtual-service-overruled", OtherResources, Warning;
    /// An HTTPRoute for the same Service.
    HttpRouteForTheService, "http-route-for-the-service", OtherResources, Error;
    /// A route that leads to a service by another way than the lanes.
    RoutePastTheLanes, "route-past-the-lanes", OtherResources, Warning;
    /// A ServiceEntry for the same host.
    ServiceEntryForTheHost, "service-entry-for-the-host", OtherResources, Error;
    /// A Sidecar that hides a service from its callers.
    SidecarHidesService, "sidecar-hides-service", OtherResources, Error;
    /// A filter of others in the same phase.
    FilterInTheSamePhase, "filter-in-the-same-phase", OtherResources, Warning;
    /// An EnvoyFilter that changes the clusters of a service.
    EnvoyFilterForTheHost, "envoy-filter-for-the-host", OtherResources, Warning;
    /// The mesh keeps resources to their namespaces.
    MeshExportsNothing, "mesh-exports-nothing", Mesh, Error;
    /// The mesh has another root namespace.
    MeshRootNamespace, "mesh-root-namespace", Mesh, Error;
    /// Istio does not look at a namespace of the group.
    NamespaceNotDiscovered, "namespace-not-discovered", Mesh, Error;
    /// Nothing is known of the mesh's configuration.
    MeshUnknown, "mesh-unknown", Mesh, Warning;
    /// Kinds of objects that could not be listed.
    NotLookedAt, "not-looked-at", Mesh, Warning;
    /// The cluster does not know Istio's resources.
    IstioNotInstalled, "istio-not-installed", Versions, Error;
    /// Istio is older than what was tried.
    IstioTooOld, "istio-too-old", Versions, Error;
    /// Istio is newer than what was tried.
    IstioTooNew, "istio-too-new", Versions, Warning;
    /// Nothing says which Istio it is.
    IstioUnknown, "istio-unknown", Versions, Warning;
    /// Istio sends pods that are not ready, as unhealthy.
    IstioSendsUnready, "istio-sends-unready", Versions, Error;
    /// Istio is older than the lane group says.
    IstioOlderThanAsked, "istio-older-than-asked", Versions, Error;
    /// Nothing says that the cluster has Gateway API.
    GatewayApiUnknown, "gateway-api-unknown", Versions, Warning;
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Anchor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Section {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] =
        [Self::Gateway, Self::Services, Self::Pods, Self::OtherResources, Self::Mesh, Self::Versions];
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::Services => "services",
            Self::Pods => "pods",
            Self::OtherResources => "other resources",
            Self::Mesh => "mesh",
            Self::Versions => "versions",
        })
    }
}
