//! How the tag crosses an application.

use super::{asm::SwimLaneGroup, group::Importer, resources::Resource};
use crate::document::{Baggage, Mode, Propagation, Trace};

/// The route header of ASM's own documents.
const ROUTE_HEADER: &str = "x-asm-prefer-tag";

/// The route header of a group: as given, or that of ASM's documents.
pub(super) fn route_header<'a>(group: &'a Resource<'_, SwimLaneGroup>) -> &'a str {
    let header = &group.object.spec.permissive_mode_configuration.route_header;
    if group.object.spec.is_permissive && !header.is_empty() { header } else { ROUTE_HEADER }
}

const CONFIG: &str = "spec.permissiveModeConfiguration";

impl Importer<'_> {
    pub(super) fn route_header(&mut self) -> String {
        let group = self.group;
        let config = &group.object.spec.permissive_mode_configuration;
        if self.mode() == Mode::Strict {
            self.not_in_force();
        } else if config.route_header.is_empty() {
            let message = format!("the route header is `{ROUTE_HEADER}`: the group names none");
            self.assume(&group.place, &format!("{CONFIG}.routeHeader"), "routeHeader", message);
        }
        route_header(group).to_owned()
    }

    /// As ASM's type has it: a trace id, `baggage`, or the route header itself. Strict lanes go by the labels of pods.
    pub(super) fn propagation(&mut self) -> Option<Propagation> {
        let group = self.group;
        let config = &group.object.spec.permissive_mode_configuration;
        let header = &config.trace_header;
        if self.mode() == Mode::Strict {
            return None;
        }
        Some(if header.is_empty() {
            let message = "the application forwards the route header: the group names no trace header";
            self.assume(&group.place, &format!("{CONFIG}.traceHeader"), "propagation", message);
            Propagation::Application
        } else if header.eq_ignore_ascii_case(&config.route_header) {
            Propagation::Application
        } else if header.eq_ignore_ascii_case("baggage") {
            Propagation::Baggage(Baggage::default())
        } else {
            Propagation::Trace(Trace { header: header.clone() })
        })
    }

    fn not_in_force(&mut self) {
        let group = self.group;
        let config = &group.object.spec.permissive_mode_configuration;
        let fields = [
            ("fallbackTarget", !config.fallback_target.is_empty()),
            ("serviceLevelFallbackTarget", !config.service_level_fallback_target.is_empty()),
            ("traceHeader", !config.trace_header.is_empty()),
            ("routeHeader", !config.route_header.is_empty()),
        ];
        for (field, _) in fields.into_iter().filter(|(_, is_given)| *is_given) {
            let message = "the group is strict, so this is not in force: it takes `mode: permissive`";
            self.lost(&group.place, &format!("{CONFIG}.{field}"), message);
        }
    }
}
