//! Ids of traces: a lane that is remembered by one needs a request to have one, and each its own.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::document::{Propagation, Spec};

/// Makes ids for the header that a lane group remembers lanes by.
#[derive(Debug)]
pub struct TraceIds {
    header: String,
    random: RandomState,
    number: AtomicU64,
}

impl TraceIds {
    /// For a group that remembers lanes by an id; none where the id is who the user is, which the requests say themselves.
    pub fn of(spec: &Spec) -> Option<Self> {
        let Propagation::Trace(trace) = spec.propagation() else { return None };
        let header = trace.header.to_ascii_lowercase();
        let identities = spec.users().map(|users| users.identity.as_slice()).unwrap_or_default();
        let is_identity =
            identities.iter().filter_map(|place| place.header.as_ref()).any(|name| name.eq_ignore_ascii_case(&header));
        (!is_identity).then(|| Self { header, random: RandomState::new(), number: AtomicU64::new(0) })
    }

    /// The header.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// A value that no other request has, as the header's format asks for it.
    pub fn next(&self) -> String {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let half = |salt: u64| {
            let mut hasher = self.random.build_hasher();
            hasher.write_u64(number);
            hasher.write_u64(salt);
            // An id of zeros is none.
            hasher.finish() | 1
        };
        let (high, low, span) = (half(0), half(1), half(2));
        let id = format!("{high:016x}{low:016x}");
        match self.header.as_str() {
            "traceparent" => format!("00-{id}-{span:016x}-01"),
            "b3" => format!("{id}-{span:016x}-1"),
            "uber-trace-id" => format!("{id}:{span:016x}:0:1"),
            "sw8" => format!("1-{id}-{span:016x}-0-verify-verify-verify-verify"),
            "x-cloud-trace-context" => format!("{id}/{span};o=1"),
            "x-request-id" => format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                high & 0xffff,
                low & 0xfff,
                (low >> 12) & 0xfff,
                span & 0xffff_ffff_ffff
            ),
            _ => id,
        }
    }
}
