//! What the baggage of a request does behind the first application.

use baggage_propagation::Propagator;
use header_edit::{Directed, Direction, HeaderList, RequestHeaders};
use serde_json::json;

use crate::{
    document::{Clients, Lane, Spec},
    json::with,
    render::{Module, sidecar_filter},
};

/// The lane of a request that came without a tag, from the second service on: sidecars turn the member into the route header.
pub(super) fn carried<'a>(spec: &'a Spec, request: &HeaderList) -> Option<&'a Lane> {
    let filter = sidecar_filter(spec).filter(|filter| filter.module == Module::BaggagePropagation)?;
    if spec.clients() == Clients::MayNot {
        return None;
    }
    let config = with(filter.config, json!({"direction": "outbound"}));
    let propagator = Propagator::parse(config.to_string().as_bytes()).ok()?;
    let mut leaving = Directed { headers: request.clone(), direction: Some(Direction::Outbound) };
    let edits = propagator.on_request(&leaving).edits;
    leaving.headers.apply(edits);
    let tag = leaving.headers.value(&spec.route_header.to_ascii_lowercase())?;
    spec.lanes.iter().find(|lane| lane.name.as_bytes() == tag.as_ref())
}
