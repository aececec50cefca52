//! Ids of requests: a lane that is remembered by the id of a trace needs a request to have one, and each its own; and by its id a
//! request is found in an access log.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use header_edit::{HeaderList, RequestHeaders};

use crate::document::{Propagation, Spec};

/// The member of the baggage that is a request's id where lanes are carried in baggage.
const MEMBER: &str = "lanes-verify";
const BAGGAGE: &str = "baggage";

/// The header by whose value a request is known at every hop, if the applications forward what carries its lane.
pub(super) fn identifying_header(spec: &Spec) -> Option<String> {
    match spec.propagation() {
        Propagation::Trace(trace) => Some(trace.header.to_ascii_lowercase()),
        Propagation::Baggage(_) => Some(BAGGAGE.to_owned()),
        Propagation::Application | Propagation::SourceLabels => None,
    }
}

/// What stays the same of that header's value along a request's way.
pub(super) fn id<'a>(header: &str, value: &'a str) -> Option<&'a str> {
    match header {
        "traceparent" | "sw8" => value.split('-').nth(1),
        "b3" => value.split('-').next(),
        "uber-trace-id" => value.split(':').next(),
        "x-cloud-trace-context" => value.split(['/', ';']).next(),
        // Envoy changes a digit of it.
        "x-request-id" => value.get(..8),
        BAGGAGE => value.split(',').find_map(|member| member.trim().strip_prefix(MEMBER)?.strip_prefix('=')),
        _ => Some(value),
    }
}

/// Makes ids for the header that a request is known by.
#[derive(Debug)]
pub struct RequestIds {
    header: String,
    random: RandomState,
    number: AtomicU64,
}

impl RequestIds {
    /// For a group that remembers lanes by an id, and with `in_baggage` for one that carries them in baggage; none where the id is
    /// who the user is, which the requests say themselves.
    pub fn of(spec: &Spec, in_baggage: bool) -> Option<Self> {
        let header = identifying_header(spec).filter(|header| in_baggage || header != BAGGAGE)?;
        let identities = spec.users().map(|users| users.identity.as_slice()).unwrap_or_default();
        let is_identity =
            identities.iter().filter_map(|place| place.header.as_ref()).any(|name| name.eq_ignore_ascii_case(&header));
        (!is_identity).then(|| Self { header, random: RandomState::new(), number: AtomicU64::new(0) })
    }

    /// The header.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// The header's value with an id that no other request has, as its format asks for it; `came` is what the request has already,
    /// which is kept. `None` if that has an id.
    pub fn next(&self, came: Option<&str>) -> Option<String> {
        match came {
            Some(came) if self.header == BAGGAGE => Some(format!("{came},{MEMBER}={}", self.make())),
            Some(_) => None,
            None if self.header == BAGGAGE => Some(format!("{MEMBER}={}", self.make())),
            None => Some(self.make()),
        }
    }

    fn make(&self) -> String {
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

/// By what an access log knows a request of a group.
pub fn request_id(spec: &Spec, request: &HeaderList) -> Option<String> {
    let header = identifying_header(spec)?;
    let value = request.first(&header)?;
    id(&header, str::from_utf8(&value).ok()?).map(str::to_owned)
}
