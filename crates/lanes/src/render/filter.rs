//! The filters: which of them a lane group needs, and how they are configured.

use serde_json::{Value, json};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::{
    document::{Clients, LaneGroup, Propagation, Spec},
    json::with,
    tagging,
};

/// A filter.
#[derive(Clone, Copy, Debug, Eq, EnumString, IntoStaticStr, Ord, PartialEq, PartialOrd, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Module {
    /// Assigns users to lanes, at the gateway.
    HashTagging,
    /// The same, and gives visitors an id: it is called for responses too, which costs each of them.
    HashTaggingCookie,
    /// Carries the tag through applications by W3C baggage, in the sidecars.
    BaggagePropagation,
    /// Carries the tag through applications by the id of a trace, in the sidecars.
    TracePropagation,
}

/// A filter in a proxy.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// What it is called, which is the module's name unless it is told apart from another with the same module.
    pub(crate) name: &'static str,
    pub(crate) module: Module,
    /// Its `pluginConfig`.
    pub(crate) config: Value,
}

/// The name of the filter at the gateway that takes the baggage's tag away.
pub(crate) const BAGGAGE_STRIP: &str = "baggage-strip";

impl Module {
    /// The name of the filter and of its image.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The filters that a lane group needs.
pub fn modules(group: &LaneGroup) -> Vec<Module> {
    tagging(&group.spec).into_iter().chain(in_sidecars(&group.spec)).map(|filter| filter.module).collect()
}

/// The filter at the gateway that assigns users to lanes.
pub(crate) fn tagging(spec: &Spec) -> Option<Filter> {
    let config = tagging::plugin_config(spec).filter(|_| spec.has_filter_at_gateway());
    let issues = spec.users().is_some_and(|users| users.issuing().is_some());
    let module = if issues { Module::HashTaggingCookie } else { Module::HashTagging };
    // By one name, so that a group that comes to issue ids has the same resource and the same plug-in.
    config.map(|config| Filter { name: Module::HashTagging.name(), ..Filter::new(module, config) })
}

/// The filter at the gateway that leaves no tag in the baggage, which would come back as the route header behind the first
/// application. It runs before all others there.
pub(crate) fn baggage_strip(spec: &Spec) -> Option<Filter> {
    let is_needed = spec.gateway.is_some() && spec.clients() == Clients::MayNot;
    let filter = in_sidecars(spec).filter(|filter| is_needed && filter.module == Module::BaggagePropagation)?;
    Some(Filter { name: BAGGAGE_STRIP, config: with(filter.config, json!({"direction": "strip"})), ..filter })
}

/// The filters at the gateway, in their order.
pub(crate) fn at_gateway(spec: &Spec) -> Vec<Filter> {
    baggage_strip(spec).into_iter().chain(tagging(spec)).collect()
}

/// The filter of the sidecars: the same inbound and outbound.
pub(crate) fn in_sidecars(spec: &Spec) -> Option<Filter> {
    let header = &spec.route_header;
    match spec.propagation() {
        Propagation::Trace(trace) => {
            let config = json!({"traceHeader": trace.header, "routeHeaders": [header]});
            Some(Filter::new(Module::TracePropagation, config))
        }
        Propagation::Baggage(baggage) => {
            let config = match baggage.key {
                Some(key) => json!({"members": [{"key": key, "header": header}]}),
                None => json!({"headers": [header]}),
            };
            Some(Filter::new(Module::BaggagePropagation, config))
        }
        Propagation::Application | Propagation::SourceLabels => None,
    }
}

impl Filter {
    fn new(module: Module, config: Value) -> Self {
        Self { name: module.name(), module, config }
    }
}
