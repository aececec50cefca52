//! Sidecars: what a request stays in its lane by. Without one a pod's calls are in no lane.

use super::{
    Preflight,
    anchor::Anchor,
    cluster::{Namespace, Pod},
    finding::listed,
    service_pods::ServicePods,
};

const INJECT: &str = "sidecar.istio.io/inject";
const REVISION: &str = "istio.io/rev";
const DATAPLANE_MODE: &str = "istio.io/dataplane-mode";
/// What the group's fallback in waypoints is attached to.
const WAYPOINT: &str = "waypoint";
const USE_WAYPOINT: &str = "istio.io/use-waypoint";

const WITHOUT_SIDECAR: &str = "calls from there are in no lane and find no fallback, and no filter carries the tag on";

/// What carries a pod's requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Carrier {
    Sidecar,
    Ambient,
    /// Nothing does, for this reason.
    Nothing(&'static str),
}

/// What a namespace does for the pods in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Injection {
    /// Every pod gets a sidecar that does not refuse it.
    On,
    /// Pods that ask for it get one.
    Asked,
    /// None does.
    Off,
}

impl<'a> Preflight<'a> {
    pub(super) fn injection(&mut self) {
        let asked = self.asked;
        let homes = asked.homes();
        let callers = asked.mesh().callers.iter().map(String::as_str).filter(|caller| !homes.contains(caller));
        for namespace in callers.filter_map(|name| self.cluster.namespace(name)) {
            self.injection_of_caller(namespace);
        }
        for namespace in homes.iter().filter_map(|name| self.cluster.namespace(name)) {
            self.injection_of(namespace);
            self.waypoint_of(namespace);
        }
    }

    /// Its pods are not known: some have something to do with the group, or none.
    fn injection_of_caller(&mut self, namespace: &Namespace) {
        let is_in = |pod: &&Pod| pod.is_live() && pod.metadata.namespace == namespace.metadata.name;
        let is_carried = |pod: &Pod| !matches!(carrier(pod, namespace, false), Carrier::Nothing(_));
        let is_injected = injection(namespace) == Injection::On || is_ambient(namespace);
        if !is_injected && !self.cluster.pods.iter().filter(is_in).any(is_carried) {
            self.not_injected(namespace);
        }
    }

    fn not_injected(&mut self, namespace: &Namespace) {
        let name = &namespace.metadata.name;
        let happens = format!("the namespace's pods get no sidecar: {WITHOUT_SIDECAR}");
        let remedy = format!(
            "kubectl label namespace {name} istio-injection=enabled (or istio.io/rev=REVISION), and restart the pods"
        );
        self.find(Anchor::NamespaceNotInjected, ("Namespace", &namespace.metadata), happens, remedy);
    }

    fn injection_of(&mut self, namespace: &Namespace) {
        let name = &namespace.metadata.name;
        let mut pods: Vec<&Pod> = self.pods_of(name);
        pods.sort_by_key(|pod| &pod.metadata.name);
        pods.dedup_by_key(|pod| &pod.metadata.name);
        let has_proofs = pods.iter().any(|pod| has_sidecar(pod));
        let why = |pod: &Pod| match carrier(pod, namespace, has_proofs) {
            Carrier::Nothing(why) => Some(why),
            Carrier::Sidecar | Carrier::Ambient => None,
        };
        let bare: Vec<(&Pod, &'static str)> = pods.iter().filter_map(|pod| Some((*pod, why(pod)?))).collect();
        let is_bare = bare.len() == pods.len() && self.cluster.has_listed("pods");
        if is_bare && injection(namespace) != Injection::On && !is_ambient(namespace) {
            self.not_injected(namespace);
            return;
        }
        let mut reasons: Vec<&'static str> = bare.iter().map(|(_, why)| *why).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let of_it: Vec<&Pod> = bare.iter().filter(|(_, why)| *why == reason).map(|(pod, _)| *pod).collect();
            let Some(first) = of_it.first() else { continue };
            let names = listed(of_it.iter().map(|pod| &pod.metadata.name));
            let happens = format!("{names}: no sidecar, {reason}; {WITHOUT_SIDECAR}");
            let remedy = "let Istio inject a sidecar into the pods, and restart them";
            self.find(Anchor::PodNotInjected, ("Pod", &first.metadata), happens, remedy);
        }
    }

    fn waypoint_of(&mut self, namespace: &Namespace) {
        let of_namespace = namespace.metadata.label(USE_WAYPOINT);
        let here = |found: &&ServicePods<'_>| found.asked.namespace == namespace.metadata.name;
        let is_ambient = |pod: &&Pod| carrier(pod, namespace, false) == Carrier::Ambient;
        for found in self.services.iter().filter(here).filter(|found| found.pods.iter().any(is_ambient)) {
            let label = found.metadata.label(USE_WAYPOINT).or(of_namespace);
            let name = &found.asked.name;
            let (anchor, happens, remedy) = match label {
                None | Some("" | "none") => (
                    Anchor::AmbientWithoutWaypoint,
                    format!(
                        "the pods of {name} are ambient and no waypoint is in front of them: nothing reads the route header on the way, \
                        and requests go to any pod of any lane"
                    ),
                    format!(
                        "istioctl waypoint apply -n {} --enroll-namespace, and spec.mesh.ambient: true",
                        namespace.metadata.name
                    ),
                ),
                Some(_) if !self.asked.mesh().ambient => (
                    Anchor::AmbientNotAsked,
                    format!(
                        "the pods of {name} are ambient and the group is for sidecars: the waypoint does not let a lane fall back, and \
                        its requests are answered with 503 where it has no pods"
                    ),
                    "spec.mesh.ambient: true".to_owned(),
                ),
                Some(waypoint) if waypoint != WAYPOINT => (
                    Anchor::AmbientAnotherWaypoint,
                    format!(
                        "the waypoint of {name} is `{waypoint}`, and the group's fallback is for one called `{WAYPOINT}`: a lane without \
                        pods does not fall back, and its requests are answered with 503"
                    ),
                    format!("call the waypoint `{WAYPOINT}`, as `istioctl waypoint apply` does"),
                ),
                Some(_) => continue,
            };
            self.find(anchor, found, happens, remedy);
        }
    }

    fn pods_of(&self, namespace: &str) -> Vec<&'a Pod> {
        let services = self.services.iter().filter(|found| found.asked.namespace == namespace);
        services.flat_map(|found| found.pods.iter().copied()).collect()
    }
}

/// `proofs`: whether pods beside it have a sidecar, so that one without has none, whatever the labels promise.
fn carrier(pod: &Pod, namespace: &Namespace, proofs: bool) -> Carrier {
    let meta = &pod.metadata;
    // The label counts more than the annotation, which is the older way to say it.
    let wish = meta.label(INJECT).or_else(|| meta.annotation(INJECT));
    let is_ambient = meta.label(DATAPLANE_MODE).map_or_else(|| is_ambient(namespace), |mode| mode == "ambient");
    if has_sidecar(pod) {
        return Carrier::Sidecar;
    }
    let is_injected = match injection(namespace) {
        Injection::On => wish != Some("false"),
        Injection::Asked => {
            meta.label(INJECT) == Some("true") || (meta.label(REVISION).is_some() && wish != Some("false"))
        }
        Injection::Off => false,
    };
    if pod.spec.host_network {
        return Carrier::Nothing("as it is in its node's network");
    }
    // Whatever else its namespace says: an injected pod would have its sidecar.
    if is_ambient {
        return Carrier::Ambient;
    }
    if is_injected && !proofs {
        return Carrier::Sidecar;
    }
    Carrier::Nothing(match (is_injected, wish) {
        (true, _) => "as it was started before its namespace was injected",
        (false, Some("false")) => "as sidecar.istio.io/inject: \"false\" refuses it",
        (false, _) => "as neither it nor its namespace asks for one",
    })
}

fn has_sidecar(pod: &Pod) -> bool {
    pod.all_containers().any(|container| container.name == "istio-proxy")
        || pod.metadata.annotation("sidecar.istio.io/status").is_some()
}

/// As the selectors of Istio's webhooks have it: `istio-injection` counts more than a revision, even if it says no.
fn injection(namespace: &Namespace) -> Injection {
    match (namespace.metadata.label("istio-injection"), namespace.metadata.label(REVISION)) {
        (Some("enabled"), _) | (None, Some(_)) => Injection::On,
        (Some(_), _) => Injection::Off,
        (None, None) => Injection::Asked,
    }
}

fn is_ambient(namespace: &Namespace) -> bool {
    namespace.metadata.label(DATAPLANE_MODE) == Some("ambient")
}
