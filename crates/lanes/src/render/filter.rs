//! The filters: which of them a lane group needs, and how they are configured.

use serde_json::{Value, json};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::{
    document::{LaneGroup, Propagation, Spec},
    tagging,
};

/// A filter.
#[derive(Clone, Copy, Debug, Eq, EnumString, IntoStaticStr, Ord, PartialEq, PartialOrd, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Module {
    /// Assigns users to lanes, at the gateway.
    HashTagging,
    /// Carries the tag through applications by W3C baggage, in the sidecars.
    BaggagePropagation,
    /// Carries the tag through applications by the id of a trace, in the sidecars.
    TracePropagation,
}

impl Module {
    /// The name of the filter and of its image.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The filters that a lane group needs.
pub fn modules(group: &LaneGroup) -> Vec<Module> {
    let tagging = tagging::plugin_config(&group.spec).map(|_| Module::HashTagging);
    tagging.into_iter().chain(in_sidecars(&group.spec).map(|(module, _)| module)).collect()
}

/// The filter of the sidecars, and its configuration: the same inbound and outbound.
pub(crate) fn in_sidecars(spec: &Spec) -> Option<(Module, Value)> {
    let header = &spec.route_header;
    match spec.propagation() {
        Propagation::Trace(trace) => {
            Some((Module::TracePropagation, json!({"traceHeader": trace.header, "routeHeaders": [header]})))
        }
        Propagation::Baggage(baggage) => {
            let config = match baggage.key {
                Some(key) => json!({"members": [{"key": key, "header": header}]}),
                None => json!({"headers": [header]}),
            };
            Some((Module::BaggagePropagation, config))
        }
        Propagation::Application | Propagation::SourceLabels => None,
    }
}
