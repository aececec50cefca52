//! The lanes, and the mode.

use super::{group::Importer, resources::Resource};
use crate::{
    document::{Lane, Mode},
    import::asm::{ServiceRef, SwimLane},
    yaml::element,
};

impl Importer<'_> {
    pub(super) fn lanes(&mut self) -> Vec<Lane> {
        let lanes = self.lanes.clone();
        lanes.into_iter().map(|lane| self.lane(lane)).collect()
    }

    fn lane(&mut self, lane: &Resource<'_, SwimLane>) -> Lane {
        self.fields_of(lane);
        let spec = &lane.object.spec;
        self.service_refs(lane, &spec.services);
        let services = if spec.services.is_empty() {
            if self.mode() == Mode::Permissive {
                let message = format!("the lane `{}` names no services: it holds all of the group", lane.name());
                self.assume(&lane.place, "spec.services", "lanes", message);
            }
            self.own(&self.group.object.spec.services)
        } else {
            self.not_in_group(lane);
            self.own(&spec.services)
        };
        Lane { name: lane.name().to_owned(), labels: spec.label_selector.clone(), services }
    }

    fn not_in_group(&mut self, lane: &Resource<'_, SwimLane>) {
        for (index, service) in lane.object.spec.services.iter().enumerate() {
            if service.namespace() == self.namespace && self.service_of(&service.name).is_none() {
                let message = format!("`{}` is no service of the group: add it to spec.services first", service.name);
                self.lost(&lane.place, &element("spec.services", index), message);
            }
        }
    }

    /// The names of the services that are in the lane group.
    fn own(&self, services: &[ServiceRef]) -> Vec<String> {
        let is_own =
            |service: &&ServiceRef| service.namespace() == self.namespace && self.service_of(&service.name).is_some();
        services.iter().filter(is_own).map(|service| service.name.clone()).collect()
    }

    pub(super) fn mode(&self) -> Mode {
        if self.group.object.spec.is_permissive { Mode::Permissive } else { Mode::Strict }
    }

    /// The lane that everything falls back to: as given, or the first.
    pub(super) fn baseline(&mut self) -> String {
        let group = self.group;
        let config = &group.object.spec.permissive_mode_configuration;
        let first = self.first_lane();
        let baseline = match self.mode() {
            Mode::Strict => first,
            Mode::Permissive if config.fallback_target.is_empty() => {
                let message =
                    format!("`{first}` is the baseline: it was there first, and ASM takes that lane unless told");
                let path = "spec.permissiveModeConfiguration.fallbackTarget";
                self.assume(&group.place, path, "baseline", message);
                first
            }
            Mode::Permissive => config.fallback_target.clone(),
        };
        let is_permissive = self.mode() == Mode::Permissive;
        let is_elsewhere = |(_, target): &(&String, &String)| is_permissive && **target != baseline;
        for (service, target) in config.service_level_fallback_target.iter().filter(is_elsewhere) {
            let message = format!(
                "`{service}` falls back to `{target}`: in a lane group every service falls back to one lane, \
                which must hold it: deploy it in `{baseline}`"
            );
            let path = format!("spec.permissiveModeConfiguration.serviceLevelFallbackTarget.{service}");
            self.lost(&group.place, &path, message);
        }
        baseline
    }

    /// The lane that was created first; as far as the input says when, and otherwise the first in the input.
    fn first_lane(&self) -> String {
        let created = |lane: &&Resource<'_, SwimLane>| lane.object.metadata.creation_timestamp.clone();
        let is_known = self.lanes.iter().all(|lane| created(lane).is_some());
        let first = if is_known { self.lanes.iter().min_by_key(|lane| created(lane)) } else { self.lanes.first() };
        first.map(|lane| lane.name().to_owned()).unwrap_or_default()
    }
}
