//! The gateway, the services and the lanes.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::document::{Gateway, Lane, Mode, Service, Spec};

/// Kubernetes and Istio need an end to the names of a lane's own subset: `s2-only`.
const SUBSET_SUFFIX: &str = "-only";

impl Findings {
    pub(super) fn gateway(&mut self, gateway: &Gateway) {
        self.labels("spec.gateway.selector", &gateway.selector);
        self.name("spec.gateway.namespace", &gateway.namespace);
        if gateway.hosts.is_empty() {
            self.error("spec.gateway.hosts", "expected at least one host, or `*` for every host");
        }
        for (index, host) in gateway.hosts.iter().enumerate() {
            self.host(&format!("spec.gateway.hosts[{index}]"), host);
        }
        self.port("spec.gateway.port", gateway.port);
    }

    pub(super) fn services(&mut self, services: &[Service]) {
        if services.is_empty() {
            self.error("spec.services", "expected at least one service");
        }
        for (index, service) in services.iter().enumerate() {
            let path = format!("spec.services[{index}]");
            self.name(&format!("{path}.name"), &service.name);
            self.port(&format!("{path}.port"), service.port);
            if services.iter().take(index).any(|other| other.name == service.name) {
                self.error(format!("{path}.name"), format!("the service `{}` is listed before", service.name));
            }
        }
    }

    pub(super) fn lanes(&mut self, spec: &Spec) {
        if spec.lanes.is_empty() {
            self.error("spec.lanes", "expected at least the baseline lane");
        }
        if !spec.lanes.iter().any(|lane| lane.name == spec.baseline) {
            self.no_such_lane("spec.baseline", &spec.baseline, spec);
        }
        for (index, lane) in spec.lanes.iter().enumerate() {
            self.lane(&format!("spec.lanes[{index}]"), lane, spec);
            let earlier = spec.lanes.iter().take(index);
            self.against_others(&format!("spec.lanes[{index}]"), lane, earlier);
        }
    }

    /// Says which lanes there are.
    pub(super) fn no_such_lane(&mut self, path: &str, name: &str, spec: &Spec) {
        self.error(
            path,
            format!("there is no lane `{name}`: there are {}", listed(spec.lanes.iter().map(|lane| &lane.name))),
        );
    }

    /// Says which services there are.
    pub(super) fn no_such_service(&mut self, path: &str, name: &str, spec: &Spec) {
        let services = listed(spec.services.iter().map(|service| &service.name));
        self.error(path, format!("there is no service `{name}` in spec.services: there are {services}"));
    }

    fn lane(&mut self, path: &str, lane: &Lane, spec: &Spec) {
        self.name(&format!("{path}.name"), &lane.name);
        self.labels(&format!("{path}.labels"), &lane.labels);
        let mut held = BTreeSet::new();
        for (index, service) in lane.services.iter().enumerate() {
            let path = format!("{path}.services[{index}]");
            if !spec.services.iter().any(|known| known.name == *service) {
                self.no_such_service(&path, service, spec);
            } else if !held.insert(service) {
                self.error(path, format!("the service `{service}` is listed before"));
            }
        }
        let missing: Vec<&String> =
            spec.services.iter().map(|service| &service.name).filter(|name| !held.contains(name)).collect();
        if missing.is_empty() {
            return;
        }
        let path = format!("{path}.services");
        match spec.mode {
            Mode::Strict => {
                self.error(
                    path,
                    format!("in strict mode every lane holds every service: {} is missing", listed(missing)),
                );
            }
            Mode::Permissive if lane.name == spec.baseline => {
                self.error(
                    path,
                    format!(
                        "everything falls back to the baseline, so it holds every service: {} is missing",
                        listed(missing)
                    ),
                );
            }
            Mode::Permissive if held.is_empty() => {
                self.warn(
                    path,
                    format!("the lane `{}` holds no service: all of its requests go to the baseline", lane.name),
                );
            }
            Mode::Permissive => {}
        }
    }

    fn against_others<'a>(&mut self, path: &str, lane: &Lane, earlier: impl Iterator<Item = &'a Lane>) {
        for other in earlier {
            if lane.name == other.name {
                self.error(format!("{path}.name"), format!("there is a lane `{}` before", lane.name));
            } else if [(lane, other), (other, lane)].iter().any(|(a, b)| a.name == format!("{}{SUBSET_SUFFIX}", b.name))
            {
                let message = format!(
                    "the subset of one of the lanes `{}` and `{}` would have the other's name",
                    other.name, lane.name
                );
                self.error(format!("{path}.name"), message);
            }
            if selects_all_of(&lane.labels, &other.labels) || selects_all_of(&other.labels, &lane.labels) {
                let message =
                    format!("pods of the lane `{}` have these labels too: no pod may be in two lanes", other.name);
                self.error(format!("{path}.labels"), message);
            }
        }
    }

    fn port(&mut self, path: &str, port: u16) {
        if port == 0 {
            self.error(path, "0 is no port");
        }
    }
}

/// Whether every pod with the labels `of` is selected by `selector`.
fn selects_all_of(selector: &BTreeMap<String, String>, of: &BTreeMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| of.get(key) == Some(value))
}

fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
