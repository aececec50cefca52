//! The lanes.

use std::collections::BTreeMap;

use super::Findings;
use crate::document::{Lane, Mode, Service, Spec};

/// Kubernetes and Istio need an end to the names of a lane's own subset: `s2-only`.
const SUBSET_SUFFIX: &str = "-only";

/// How many names are listed in a message: there may be as many messages as names.
const LISTED: usize = 50;

impl Findings {
    pub(super) fn lanes(&mut self, spec: &Spec) {
        if spec.lanes.is_empty() {
            self.error("spec.lanes", "expected at least the baseline lane");
        }
        self.known_lane("spec.baseline", &spec.baseline, spec);
        for (index, lane) in spec.lanes.iter().enumerate() {
            self.lane(&format!("spec.lanes[{index}]"), lane, spec);
            let earlier = spec.lanes.iter().take(index);
            self.against_others(&format!("spec.lanes[{index}]"), lane, earlier);
        }
    }

    /// Says which lanes there are, if it is none of them.
    pub(super) fn known_lane(&mut self, path: &str, name: &str, spec: &Spec) {
        if spec.lane(name).is_none() {
            let lanes = listed(spec.lanes.iter().map(|lane| &lane.name));
            self.error(path, format!("there is no lane `{name}`: there are {lanes}"));
        }
    }

    fn lane(&mut self, path: &str, lane: &Lane, spec: &Spec) {
        self.name(&format!("{path}.name"), &lane.name);
        self.labels(&format!("{path}.labels"), &lane.labels);
        let mut held: Vec<&Service> = Vec::new();
        for (index, reference) in lane.services.iter().enumerate() {
            let path = format!("{path}.services[{index}]");
            let Some(service) = self.known_service(&path, reference, spec) else { continue };
            if held.contains(&service) {
                self.error(path, format!("the service `{reference}` is listed before"));
            }
            held.push(service);
        }
        let name = |service: &Service| (service.name.clone(), service.namespace.clone());
        let is_held = |service: &Service| held.iter().any(|held| name(held) == name(service));
        let missing: Vec<String> =
            spec.services.iter().filter(|service| !is_held(service)).map(|s| spec.reference(s)).collect();
        if missing.is_empty() {
            return;
        }
        let path = format!("{path}.services");
        match spec.mode {
            Mode::Strict => {
                self.error(
                    path,
                    format!("in strict mode every lane holds every service: {} is missing", listed(&missing)),
                );
            }
            Mode::Permissive if lane.name == spec.baseline => {
                self.error(
                    path,
                    format!(
                        "everything falls back to the baseline, so it holds every service: {} is missing",
                        listed(&missing)
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
}

/// Whether every pod with the labels `of` is selected by `selector`.
fn selects_all_of(selector: &BTreeMap<String, String>, of: &BTreeMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| of.get(key) == Some(value))
}

/// Of very many, the first.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let mut names = names.into_iter();
    let mut listed: Vec<String> = names.by_ref().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.count();
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    if listed.is_empty() { "none".to_owned() } else { listed.join(", ") }
}
