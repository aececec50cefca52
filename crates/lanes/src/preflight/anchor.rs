//! The names of what can be found. Each is a section of docs/preflight.md.

use serde::Serialize;
use strum::{Display, VariantArray};

use crate::finding::Severity;

/// What a finding is about, in the order in which it is told.
#[derive(Clone, Copy, Debug, Display, Eq, Ord, PartialEq, PartialOrd, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "lowercase")]
pub enum Section {
    /// What lets requests in.
    Gateway,
    /// The services of the lane group.
    Services,
    /// Their pods.
    Pods,
    /// What others have in the cluster for the same hosts and proxies.
    #[strum(to_string = "other resources")]
    OtherResources,
    /// What the mesh is configured to do.
    Mesh,
    /// Which Istio it is.
    Versions,
}

/// Anchors by what they are about, each with how bad it is and what it says.
macro_rules! anchors {
    ($($section:ident { $($anchor:ident $severity:ident $about:literal;)+ })+) => {
        /// The name of something that can be found, which never changes; in the order of the documentation.
        #[derive(Clone, Copy, Debug, Display, Eq, Ord, PartialEq, PartialOrd, Serialize, VariantArray)]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum Anchor {
            $($(#[doc = $about] $anchor,)+)+
        }

        impl Anchor {
            /// What it is about.
            pub fn section(self) -> Section {
                match self { $($(Self::$anchor => Section::$section,)+)+ }
            }

            /// How bad it is, where nothing makes it less so.
            pub fn severity(self) -> Severity {
                match self { $($(Self::$anchor => Severity::$severity,)+)+ }
            }
        }
    };
}

anchors! {
    Gateway {
        GatewayWithoutPods Error "No pod has the gateway's labels.";
        GatewayElsewhere Error "The gateway's pods are in another namespace.";
        GatewayPortNotExposed Warning "No Service leads to the gateway's port.";
        GatewayPortTaken Error "Another Gateway has the port for another protocol.";
        GatewayRedirects Error "Another Gateway redirects the hosts to HTTPS.";
        GatewayHostTaken Error "Another VirtualService has the hosts at the gateway.";
        GatewayMissing Error "A Gateway that the group names is not there.";
        GatewayServiceMissing Error "The Service of the gateway's pods is not there.";
        GatewayScopedToNamespace Error "Istio looks for a gateway's resources in its pods' namespace only.";
    }
    Services {
        NamespaceMissing Error "A namespace of the group is not there, or is going away.";
        ServiceMissing Error "A service is not there.";
        ServiceExternalName Error "The Service is another name for something outside.";
        ServiceHeadless Error "The Service has no address of its own.";
        ServiceWithoutSelector Error "The Service does not say which pods are its.";
        ServiceWithoutPods Error "The Service's selector selects no pod.";
        ServiceLeavesOutPods Error "The Service's selector leaves a lane's pods out.";
        ServiceAnotherPort Error "The Service does not have the port.";
        ServiceTargetPort Error "The port does not lead to any port of a pod.";
        ServiceProtocol Error "The port speaks something else.";
        ServiceSeveralPorts Warning "The Service has ports that are not in the lanes.";
        ServiceTrafficDistribution Error "The Service prefers near endpoints.";
        ServiceNodeLocal Error "The Service keeps requests on their node.";
        ServicePublishesUnready Warning "The Service has its unready pods taken for ready.";
        ServiceAnotherSelector Error "The Service selects other pods than the lanes' Services would.";
        ServiceAnotherTargetPort Error "The Service's port leads to another port than the lanes' Services would.";
        ServiceNotExported Error "Callers do not see the Service.";
    }
    Pods {
        PodWithoutLaneLabel Error "Pods of a service have no lane's label.";
        PodWithUnknownLaneLabel Error "Pods of a service have a label that no lane has.";
        PodOfUndeclaredService Error "Pods have the label of a lane that has no place for their service.";
        LaneWithoutReadyPods Error "A lane has no ready pod of a service that it holds.";
        NamespaceNotInjected Error "A namespace's pods get no sidecar.";
        PodNotInjected Error "Pods have no sidecar although their namespace has them injected.";
        AmbientWithoutWaypoint Error "Ambient pods without a waypoint.";
        AmbientNotAsked Error "Ambient pods, and the group is for sidecars.";
        AmbientAnotherWaypoint Error "The waypoint has another name than the group's fallback is for.";
    }
    OtherResources {
        NameTaken Error "An object of others has the name of one that would be applied.";
        Leftover Warning "Resources of the group that are not rendered any more.";
        AnotherLaneGroup Error "The resources of another lane group for the same service.";
        DestinationRuleInCallersNamespace Error "A DestinationRule that callers get instead of the group's.";
        DestinationRuleForSomePods Error "A DestinationRule that some pods get instead of the group's.";
        DestinationRuleWithOutlierDetection Error "A DestinationRule for the same host that ejects pods.";
        DestinationRuleNotMerged Error
            "A DestinationRule for the same host that Istio does not merge with the group's.";
        DestinationRuleWithTheSameSubsets Error "A DestinationRule for the same host with a subset of a lane's name.";
        DestinationRuleWithSubsets Warning "A DestinationRule for the same host with subsets of its own.";
        DestinationRuleOverruled Warning "A DestinationRule that stops counting for the group's services.";
        VirtualServiceForTheHost Error "A VirtualService for the same host.";
        VirtualServiceOverruled Warning "A VirtualService that stops counting for the group's services.";
        HttpRouteForTheService Error "An HTTPRoute for the same Service.";
        RoutePastTheLanes Warning "A route that leads to a service by another way than the lanes.";
        ServiceEntryForTheHost Error "A ServiceEntry for the same host.";
        SidecarHidesService Error "A Sidecar that hides a service from its callers.";
        FilterInTheSamePhase Warning "A filter of others in the same phase.";
        EnvoyFilterForTheHost Warning "An EnvoyFilter that changes the clusters of a service.";
    }
    Mesh {
        MeshExportsNothing Error "The mesh keeps resources to their namespaces.";
        MeshRootNamespace Error "The mesh has another root namespace.";
        NamespaceNotDiscovered Error "Istio does not look at a namespace of the group.";
        MeshUnknown Warning "Nothing is known of the mesh's configuration.";
        NotLookedAt Warning "Kinds of objects that could not be listed.";
    }
    Versions {
        IstioNotInstalled Error "The cluster does not know Istio's resources.";
        IstioTooOld Error "Istio is older than what was tried.";
        IstioTooNew Warning "Istio is newer than what was tried.";
        IstioUnknown Warning "Nothing says which Istio it is.";
        IstioSendsUnready Error "Istio sends pods that are not ready, as unhealthy.";
        IstioOlderThanAsked Error "Istio is older than the lane group says.";
        GatewayApiUnknown Warning "Nothing says that the cluster has Gateway API.";
    }
}
