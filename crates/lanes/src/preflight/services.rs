//! Services: missing, or not as the lanes need them.

use crate::document::ServicePort as AskedPort;

use super::{
    Preflight,
    anchor::Anchor,
    asked::AskedService,
    cluster::{IntOrName, Namespace, ServicePort},
    finding::{labels, listed},
    host::is_seen,
    ports::{Spoken, mismatch, spoken},
    service_pods::{self, ServicePods},
};

/// What Istio reads for Services that do not have the field yet.
const TRAFFIC_DISTRIBUTION: &str = "networking.istio.io/traffic-distribution";
const EXPORT_TO: &str = "networking.istio.io/exportTo";

impl Preflight<'_> {
    pub(super) fn services(&mut self) {
        let has_namespaces = self.cluster.has_listed("namespaces");
        if has_namespaces {
            self.namespaces();
        }
        for asked in self.asked.services.iter().filter(|_| self.cluster.has_listed("services")) {
            let is_there = service_pods::service(self.cluster, asked).is_some();
            if !is_there && (!has_namespaces || self.cluster.namespace(&asked.namespace).is_some()) {
                self.missing_service(asked);
            }
        }
        for found in self.services {
            if self.is_usable(found) {
                self.ports(found);
                self.endpoints(found);
                self.lane_services(found);
                self.visibility(found);
            }
        }
    }

    fn namespaces(&mut self) {
        let mut namespaces: Vec<&str> = self.asked.services.iter().map(|service| service.namespace.as_str()).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        for name in namespaces {
            let why = match self.cluster.namespace(name) {
                None => "is not there",
                Some(Namespace { metadata, status })
                    if metadata.deletion_timestamp.is_some() || status.phase == "Terminating" =>
                {
                    "is being deleted"
                }
                Some(_) => continue,
            };
            let happens =
                format!("the namespace {why}: nothing of the group can be applied to it, and no request is served");
            let remedy = "correct the namespace in the lane group, or create it with its services";
            self.find(Anchor::NamespaceMissing, ("Namespace", "", name), happens, remedy);
        }
    }

    fn missing_service(&mut self, asked: &AskedService) {
        let namesakes = self.cluster.services.iter().filter(|service| service.metadata.name == asked.name);
        let elsewhere: Vec<&str> = namesakes.map(|service| service.metadata.namespace.as_str()).collect();
        let hint =
            if elsewhere.is_empty() { String::new() } else { format!("; there is one in {}", listed(elsewhere)) };
        let happens = format!("requests to {} in any lane are answered with 503, or 404 at the gateway", asked.host);
        let remedy = format!("create the Service, or take `{}` out of spec.services{hint}", asked.name);
        self.find(Anchor::ServiceMissing, ("Service", &asked.namespace, &asked.name), happens, remedy);
    }

    /// Whether it is a Service that can have lanes; anything more about one that cannot would only repeat it.
    fn is_usable(&mut self, found: &ServicePods<'_>) -> bool {
        let (service, name) = (found.service, &found.asked.name);
        let (anchor, happens, remedy) = if service.r#type == "ExternalName" {
            let happens = format!(
                "the Service stands for {}: it has no pods, so every lane of it is empty and requests are answered with 503",
                service.external_name
            );
            (Anchor::ServiceExternalName, happens, "name the Service that has the pods")
        } else if service.cluster_ip == "None" {
            let happens = format!(
                "callers choose a pod of {name} by DNS and Istio sends the request to that very pod: requests go to any pod of any lane"
            );
            (
                Anchor::ServiceHeadless,
                happens,
                "give the pods a second Service with a cluster IP, and name that one in the lane group",
            )
        } else if !self.cluster.has_listed("pods") {
            return true;
        } else if service.selector.is_empty() && found.pods.is_empty() {
            let happens = "the Service selects no pods and no endpoint of it is a pod, so no lane has any: requests are answered with 503";
            (Anchor::ServiceWithoutSelector, happens.to_owned(), "give the Service a selector")
        } else if found.pods.is_empty() {
            let happens = format!(
                "no pod has the labels of its selector ({}): requests to {name} are answered with 503",
                labels(&service.selector)
            );
            (
                Anchor::ServiceWithoutPods,
                happens,
                "correct the Service's selector or the pods' labels, or start the pods",
            )
        } else {
            return true;
        };
        self.find(anchor, found, happens, remedy);
        false
    }

    fn ports(&mut self, found: &ServicePods<'_>) {
        let name = &found.asked.name;
        let (named, others): (Vec<&ServicePort>, Vec<&ServicePort>) =
            found.service.ports.iter().partition(|port| found.asked.has_port(port.port));
        for &AskedPort { number, protocol, .. } in &found.asked.ports {
            let of_number = || named.iter().filter(|port| port.port == number);
            let tcp = of_number().find(|port| !matches!(port.protocol.as_str(), "UDP" | "SCTP"));
            let Some(port) = tcp.or_else(|| of_number().next()) else {
                let there = listed(others.iter().map(|port| port.port.to_string()));
                let happens = format!(
                    "{name} has no port {number}: requests that the gateway sends there are answered with 503, and calls to the port \
                    that it does have are in no lane"
                );
                let remedy = format!("correct the port in spec.services: the Service has {there}");
                self.find(Anchor::ServiceAnotherPort, found, happens, remedy);
                continue;
            };
            if let Some(why) = mismatch(spoken(port), protocol) {
                let said = port.app_protocol.as_deref().map_or_else(
                    || format!("the port's name `{}` says it", port.name),
                    |protocol| format!("its appProtocol `{protocol}` says it"),
                );
                let happens = format!("port {number} of {name}: {why} ({said})");
                let remedy = "set appProtocol or the port's name to what is spoken (http, http2, grpc), and `protocol` of the \
                    service in the lane group to the same";
                self.find(Anchor::ServiceProtocol, found, happens, remedy);
            }
            self.target_port(found, port);
        }
        if named.is_empty() || others.is_empty() {
            return;
        }
        let told = |port: &&ServicePort| match port.name.as_str() {
            "" => port.port.to_string(),
            name => format!("{} ({name})", port.port),
        };
        let guess = if others.iter().any(|port| spoken(port) != Spoken::Opaque) {
            "requests to them go to any pod of any lane, as before"
        } else {
            "connections to them go to any pod of any lane, as before"
        };
        let happens =
            format!("{name} has ports that are not in the lanes: {}; {guess}", listed(others.iter().map(told)));
        let remedy = "nothing, if that is meant (metrics, health); otherwise let the lane group name the port that the chain calls";
        self.find(Anchor::ServiceSeveralPorts, found, happens, remedy);
    }

    /// A name that no container has makes Kubernetes leave the pod out of the endpoints.
    fn target_port(&mut self, found: &ServicePods<'_>, port: &ServicePort) {
        let Some(IntOrName::Name(target)) = &port.target_port else { return };
        let has_it = |container: &super::cluster::Container| container.ports.iter().any(|port| port.name == *target);
        let lacking: Vec<&str> = found
            .pods
            .iter()
            .filter(|pod| !pod.all_containers().any(has_it))
            .map(|pod| pod.metadata.name.as_str())
            .collect();
        if lacking.is_empty() {
            return;
        }
        let happens = format!(
            "port {} leads to the port that a pod's container calls `{target}`, and none does in {}: they get no request",
            port.port,
            listed(lacking)
        );
        let remedy = "correct targetPort of the Service, or the name of the container's port";
        self.find(Anchor::ServiceTargetPort, found, happens, remedy);
    }

    fn endpoints(&mut self, found: &ServicePods<'_>) {
        let (service, name) = (found.service, &found.asked.name);
        if let Some(distribution) = self.distribution(found).filter(|_| self.falls_back(found.asked)) {
            let happens = format!(
                "{distribution} makes Istio send pods that are not ready, as unhealthy: while one of two pods of a lane is not ready, \
                about a third of the lane's requests to {name} go to the baseline, on every rolling update"
            );
            let remedy = "take it away from this Service; no setting of a DestinationRule helps";
            self.find(Anchor::ServiceTrafficDistribution, found, happens, remedy);
        }
        if !self.asked.has_subsets() {
            return;
        }
        if service.internal_traffic_policy == "Local" {
            let happens = format!(
                "a caller only sees the pods of {name} on its own node: where the lane has none there, its requests go to the \
                baseline or are answered with 503"
            );
            let remedy = "set internalTrafficPolicy to Cluster";
            self.find(Anchor::ServiceNodeLocal, found, happens, remedy);
        }
        if service.publish_not_ready_addresses && self.falls_back(found.asked) {
            let happens = format!(
                "pods of {name} that are not ready count as ready: a lane whose pods have failed does not fall back, and its requests \
                fail"
            );
            let remedy = "take publishNotReadyAddresses away, or give the pods a second Service for what needs it";
            self.find(Anchor::ServicePublishesUnready, found, happens, remedy);
        }
    }

    /// The field counts more than the Service's annotation, which counts more than the namespace's.
    fn distribution(&self, found: &ServicePods<'_>) -> Option<String> {
        let near = |value: &str| {
            matches!(value.to_ascii_lowercase().as_str(), "preferclose" | "prefersamezone" | "prefersamenode")
        };
        // With Gateway API, lanes have Services of their own, which have neither.
        if self.asked.has_subsets() {
            let field = &found.service.traffic_distribution;
            if near(field) {
                return Some(format!("trafficDistribution: {field}"));
            }
            if let Some(value) = found.metadata.annotation(TRAFFIC_DISTRIBUTION) {
                return near(value).then(|| format!("the annotation {TRAFFIC_DISTRIBUTION}: {value}"));
            }
        }
        let namespace = self.cluster.namespace(&found.asked.namespace)?;
        let value = namespace.metadata.annotation(TRAFFIC_DISTRIBUTION)?;
        near(value).then(|| format!("the namespace's annotation {TRAFFIC_DISTRIBUTION}: {value}"))
    }

    fn visibility(&mut self, found: &ServicePods<'_>) {
        let given = found.metadata.annotation(EXPORT_TO).unwrap_or_default();
        let export_to: Vec<String> =
            given.split(',').map(str::trim).filter(|to| !to.is_empty()).map(str::to_owned).collect();
        let default = &self.mesh.config.default_service_export_to;
        let sees = |from: &&str| is_seen(&export_to, default, &found.asked.namespace, from);
        let blind: Vec<&str> = self.asked.certain_callers().into_iter().filter(|from| !sees(from)).collect();
        if blind.is_empty() {
            return;
        }
        let (object, what) = match (export_to.is_empty(), self.mesh.object.clone()) {
            (true, Some(object)) => (object, "the mesh's defaultServiceExportTo"),
            _ => (found.into(), "the annotation networking.istio.io/exportTo"),
        };
        let happens = format!(
            "{what} hides {} from {}: requests from there are answered with 503 or 404, or pass by every lane",
            found.asked.name,
            listed(blind)
        );
        let remedy = "annotate the Service with networking.istio.io/exportTo: \"*\", or with these namespaces";
        self.find(Anchor::ServiceNotExported, object, happens, remedy);
    }
}
