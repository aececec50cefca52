//! What is counted. Every request counts exactly one insert, one lookup or one unknown direction.

use plugin_config::metric_name;

/// One of the counters, in the order of [`Counter::ALL`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Counter {
    /// Inbound: the id is new, and there was room for it.
    InsertNew,
    /// Inbound: the id is new, and one that had not expired was forgotten for it.
    InsertEvictedAlive,
    /// Inbound: the id had other tags, which are replaced.
    InsertChanged,
    /// Inbound: the id had these tags, and lives on.
    InsertRefreshed,
    /// Inbound: the id had these tags, and more than half of its life left. Nothing was written.
    InsertUnchanged,
    /// Inbound: the request has no tag, and the id had one, which is forgotten.
    InsertForgotten,
    /// Inbound: the request has no tag, and nothing is known about its id.
    InsertNoTag,
    /// Inbound: the request has no id.
    InsertNoId,
    /// Inbound: the id or the tags are too long, or a tag is no header value.
    InsertUnusable,
    /// Inbound: other workers wrote the same set again and again.
    InsertGivenUp,
    /// Outbound: the request carries every route header, and nothing is looked up.
    LookupHeader,
    /// Outbound: the id is known.
    LookupHit,
    /// Outbound: the id is not known, or no longer.
    LookupMiss,
    /// Outbound: the id is known, but it has expired.
    LookupExpired,
    /// Outbound: the request has no id, or one that is too long.
    LookupNoId,
    /// Outbound, besides the lookup: the pod's own label became the tag.
    PodLabel,
    /// A set was written by another worker between reading and writing it: it is read again.
    Conflict,
    /// Neither the configuration nor the listener says which way the request goes: it is not touched.
    UnknownDirection,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Self; 18] = [
        Self::InsertNew,
        Self::InsertEvictedAlive,
        Self::InsertChanged,
        Self::InsertRefreshed,
        Self::InsertUnchanged,
        Self::InsertForgotten,
        Self::InsertNoTag,
        Self::InsertNoId,
        Self::InsertUnusable,
        Self::InsertGivenUp,
        Self::LookupHeader,
        Self::LookupHit,
        Self::LookupMiss,
        Self::LookupExpired,
        Self::LookupNoId,
        Self::PodLabel,
        Self::Conflict,
        Self::UnknownDirection,
    ];

    /// Its metric, with labels in the form that Envoy's tag extraction takes apart.
    pub fn name(self) -> String {
        const INSERTS: &str = "trace_propagation_inserts";
        const LOOKUPS: &str = "trace_propagation_lookups";
        let (metric, result) = match self {
            Self::InsertNew => (INSERTS, "new"),
            Self::InsertEvictedAlive => (INSERTS, "evicted_alive"),
            Self::InsertChanged => (INSERTS, "changed"),
            Self::InsertRefreshed => (INSERTS, "refreshed"),
            Self::InsertUnchanged => (INSERTS, "unchanged"),
            Self::InsertForgotten => (INSERTS, "forgotten"),
            Self::InsertNoTag => (INSERTS, "no_tag"),
            Self::InsertNoId => (INSERTS, "no_id"),
            Self::InsertUnusable => (INSERTS, "unusable"),
            Self::InsertGivenUp => (INSERTS, "given_up"),
            Self::LookupHeader => (LOOKUPS, "header"),
            Self::LookupHit => (LOOKUPS, "hit"),
            Self::LookupMiss => (LOOKUPS, "miss"),
            Self::LookupExpired => (LOOKUPS, "expired"),
            Self::LookupNoId => (LOOKUPS, "no_id"),
            Self::PodLabel => return "trace_propagation_pod_labels".to_owned(),
            Self::Conflict => return "trace_propagation_conflicts".to_owned(),
            Self::UnknownDirection => return "trace_propagation_unknown_direction".to_owned(),
        };
        metric_name(&[("result", result.as_bytes())], metric)
    }

    /// Its place in [`Counter::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_counter_is_at_its_index_under_a_name_of_its_own() {
        for (index, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter.index(), index);
            assert_eq!(Counter::ALL.iter().filter(|other| other.name() == counter.name()).count(), 1);
        }
    }
}
