//! A lane group at any gateway that implements Gateway API (1.6), by what its specification has.
//!
//! HTTPRoutes lead by the tag to a Service for each lane. The specification has no filter of one's own, no fallback from one backend to
//! another and no retries that are not experimental: whoever is in front writes the tag, and a lane without a ready pod does not answer.

mod refused;

use super::{File, front, gateway_api, implementation::Implementation, lane_service};
use crate::document::{LaneGroup, Membership, Mode};

/// The files of a lane group, in the order of application. Delete in the opposite order. `class` is the GatewayClass of a Gateway that
/// is rendered.
///
/// # Errors
/// The lane group, though valid, asks for what Gateway API cannot say: each such field with what to do instead.
pub fn render(group: &LaneGroup, class: Option<&str>) -> anyhow::Result<Vec<File>> {
    refused::refuse(group, class)?;
    let group = &that_cannot_fall_back(front::by_gateway_api(group));
    let (gateway, _) = gateway_api::file(group, Implementation::Any, class.unwrap_or_default())?;
    let files = [lane_service::of_gateway_api(group)?, gateway];
    Ok(files.into_iter().filter(|file| !file.documents.is_empty()).collect())
}

/// Whether a route asks for the tag, which nothing here writes.
pub fn asks_for_tag(group: &LaneGroup) -> bool {
    group.spec.has_tag_at_gateway()
}

/// Whether a lane is to fall back, which it does not here.
pub fn lacks_fallback(group: &LaneGroup) -> bool {
    front::front(group).falls_back()
}

/// A lane is its own pods where it holds the service, and the baseline where it does not.
fn that_cannot_fall_back(mut group: LaneGroup) -> LaneGroup {
    let spec = &mut group.spec;
    // Before what they depend on is another.
    (spec.untagged, spec.propagation) = (Some(spec.untagged()), Some(spec.propagation()));
    (spec.mode, spec.membership) = (Mode::Strict, Membership::Declared);
    group
}
