//! Whose a resource is.

use super::{asked::Asked, cluster::Meta};
use crate::render::istio::resource::{GROUP, GROUP_NAMESPACE, MANAGED_BY};

/// Whose a resource is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner<'a> {
    /// The lane group's own, applied before.
    Own,
    /// Another lane group's, of this name.
    AnotherGroup(&'a str),
    /// Somebody else's.
    Others,
}

/// Helm and others claim `managed-by` for themselves, so the group's own labels count first.
pub(super) fn owner<'a>(asked: &Asked<'_>, meta: &'a Meta) -> Owner<'a> {
    let own = &asked.group.metadata;
    match (meta.label(GROUP), meta.label(GROUP_NAMESPACE)) {
        (Some(group), namespace) if group == own.name && namespace.is_none_or(|name| name == own.namespace) => {
            Owner::Own
        }
        (Some(group), _) => Owner::AnotherGroup(group),
        // Rendered before resources named their group.
        (None, _) if meta.label(MANAGED_BY) == Some("lanes") => Owner::Own,
        (None, _) => Owner::Others,
    }
}
