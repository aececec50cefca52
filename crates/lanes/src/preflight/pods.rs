//! Pods: which of them are in no lane, and which lanes have none.

use std::collections::BTreeMap;

use super::{Preflight, anchor::Anchor, cluster::Pod, finding::listed, service_pods::ServicePods};
use crate::document::Lane;

impl Preflight<'_> {
    pub(super) fn pods(&mut self) {
        let asked = self.asked;
        for found in self.services.iter().filter(|found| !found.pods.is_empty() && found.service.cluster_ip != "None") {
            let holds = |lane: &&Lane| found.asked.holders.contains(&lane.name);
            let is_empty = |lane: &&Lane| !found.of_lane(lane).any(Pod::is_ready);
            let empty: Vec<&Lane> = asked.group.spec.lanes.iter().filter(holds).filter(is_empty).collect();
            self.undeclared(found);
            let strays = found.of_no_lane(&asked.group.spec.lanes);
            if strays.is_empty() {
                empty.iter().for_each(|lane| self.lane_without_ready_pods(found, lane));
            } else {
                self.strays(found, &strays, &empty);
            }
        }
    }

    /// One finding for the pods of a workload: there may be thousands.
    fn strays(&mut self, found: &ServicePods<'_>, strays: &[&Pod], empty: &[&Lane]) {
        let keys = self.asked.label_keys();
        let mut workloads: BTreeMap<(&str, Vec<String>), Vec<&Pod>> = BTreeMap::new();
        for pod in strays {
            let label = |key: &&str| pod.metadata.label(key).map(|value| format!("{key}={value}"));
            let labels = keys.iter().filter_map(label).collect();
            workloads.entry((pod.workload(), labels)).or_default().push(pod);
        }
        let instead = if empty.is_empty() {
            String::new()
        } else {
            let lanes: Vec<String> = empty.iter().map(|lane| self.without(found, lane)).collect();
            format!("; {}", lanes.join("; "))
        };
        for ((_, labels), pods) in workloads {
            let Some(first) = pods.first() else { continue };
            let names = listed(pods.iter().map(|pod| &pod.metadata.name));
            let (anchor, what) = if labels.is_empty() {
                (Anchor::PodWithoutLaneLabel, format!("no label of a lane ({})", keys.join(", ")))
            } else {
                (Anchor::PodWithUnknownLaneLabel, format!("{}, which is no lane's label", labels.join(", ")))
            };
            let happens = format!(
                "{names} of the service {} has {what}: no request of any lane reaches it{instead}",
                found.asked.name
            );
            let remedy = format!(
                "label the pods in their workload's template with those of their lane: {}",
                listed(self.asked.group.spec.lanes.iter().map(told))
            );
            self.find(anchor, ("Pod", &first.metadata), happens, remedy);
        }
    }

    /// With `membership: declared`, a lane has a place for those services only that it names.
    fn undeclared(&mut self, found: &ServicePods<'_>) {
        for lane in self.asked.group.spec.lanes.iter().filter(|lane| !found.asked.places.contains(&lane.name)) {
            let pods: Vec<&Pod> = found.of_lane(lane).collect();
            let Some(first) = pods.first() else { continue };
            let happens = format!(
                "{} of the service {} has the labels of the lane {}, which does not name the service: no request reaches it, as \
                membership is declared",
                listed(pods.iter().map(|pod| &pod.metadata.name)),
                found.asked.name,
                lane.name
            );
            let remedy = format!("add `{}` to the lane's services and render the group anew", found.asked.name);
            self.find(Anchor::PodOfUndeclaredService, ("Pod", &first.metadata), happens, remedy);
        }
    }

    fn lane_without_ready_pods(&mut self, found: &ServicePods<'_>, lane: &Lane) {
        let left_out = self.left_out(found, lane);
        if found.of_lane(lane).next().is_none() && !left_out.is_empty() {
            let happens = format!(
                "its selector leaves out {}, which has the labels of the lane {}: {}",
                listed(left_out),
                lane.name,
                self.without(found, lane)
            );
            let remedy = "let the Service select the pods of every lane: leave the version out of its selector";
            self.find(Anchor::ServiceLeavesOutPods, found, happens, remedy);
            return;
        }
        let unready: Vec<&str> = found.of_lane(lane).map(|pod| pod.metadata.name.as_str()).collect();
        let why = if unready.is_empty() {
            format!("there are none with {}", told(lane))
        } else {
            format!("not ready: {}", listed(unready))
        };
        let happens = format!("{} ({why})", self.without(found, lane));
        let remedy = format!(
            "start the lane's pods of `{0}`, or take `{0}` out of the lane's services until they are there",
            found.asked.name
        );
        self.find(Anchor::LaneWithoutReadyPods, found, happens, remedy);
    }

    /// Pods of a lane that are nearly the service's: they have some of the labels that it selects, and not all.
    fn left_out(&self, found: &ServicePods<'_>, lane: &Lane) -> Vec<&str> {
        let is_near = |pod: &&Pod| {
            let mut selector = found.service.selector.iter();
            selector.any(|(key, value)| lane.labels.get(key) != Some(value) && pod.metadata.label(key) == Some(value))
        };
        let pods = self.cluster.pods.iter().filter(|pod| {
            pod.is_live() && pod.metadata.namespace == found.asked.namespace && pod.metadata.has_labels(&lane.labels)
        });
        pods.filter(is_near).map(|pod| pod.metadata.name.as_str()).collect()
    }

    /// What it means that a lane has no ready pod of a service.
    fn without(&self, found: &ServicePods<'_>, lane: &Lane) -> String {
        let (service, lane_name) = (&found.asked.name, &lane.name);
        if *lane_name == self.asked.group.spec.baseline && self.asked.falls_back {
            format!(
                "the baseline {lane_name} has no ready pod of {service}: requests to it of every lane without pods of its own are \
                answered with 503"
            )
        } else if self.asked.falls_back {
            format!("the lane {lane_name} has no ready pod of {service}: its requests to it go to the baseline")
        } else {
            format!("the lane {lane_name} has no ready pod of {service}: its requests to it are answered with 503")
        }
    }
}

/// A lane's labels, as a selector has them.
fn told(lane: &Lane) -> String {
    let labels: Vec<String> = lane.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{} ({})", labels.join(","), lane.name)
}
