//! From a request to edits, and to what is remembered.

use std::borrow::Cow;

use header_edit::{Direction, Edit, HeaderName, HeaderValue, Request};
use plugin_config::{Problem, Refused};

use crate::{
    Counter, Store,
    compile::compile,
    id::{IdFormat, MAX_ID},
    table::{Found, Table, Written},
    tags::{self, Carried},
};

/// A valid configuration, ready to decide.
#[derive(Debug)]
pub struct Propagator {
    pub(crate) table: Table,
    pub(crate) trace_header: HeaderName,
    pub(crate) id_format: IdFormat,
    pub(crate) route_headers: Vec<HeaderName>,
    /// The value of the pod's label, only with a single route header.
    pub(crate) pod_tag: Option<HeaderValue>,
    /// `None` for what the listener says.
    pub(crate) direction: Option<Direction>,
    pub(crate) counters: Vec<String>,
    pub(crate) warnings: Vec<Problem>,
}

/// Everything a propagator has to say about one request.
#[derive(Debug, Default)]
pub struct Propagation<'a> {
    /// What to change about the headers: nothing but route headers of outbound requests.
    pub edits: Vec<Edit<'a>>,
    /// What to add one to; a counter may be named several times.
    pub counters: Vec<Counter>,
}

/// The id of one request.
enum Id<'r> {
    Nothing,
    TooLong,
    Usable(Cow<'r, [u8]>),
}

impl Propagator {
    /// Reads a `pluginConfig`: a JSON object of the shape of [`crate::config::Config`]. `pod_label` gives the value of
    /// a label of the pod; it is asked at most once.
    ///
    /// # Errors
    /// The configuration is refused whole, with everything that is wrong about it.
    pub fn parse(json: &[u8], pod_label: impl FnOnce(&str) -> Option<Vec<u8>>) -> Result<Self, Refused> {
        compile(json, pod_label)
    }

    /// What is valid, but hardly meant.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The names of the counters, in the order of [`Counter::ALL`].
    pub fn counters(&self) -> &[String] {
        &self.counters
    }

    /// Remembers what an inbound request carries, or gives an outbound request what is remembered.
    pub fn on_request<'a>(&'a self, request: &dyn Request, store: &dyn Store) -> Propagation<'a> {
        let mut counters = Vec::new();
        let edits = self.propagate(request, store, |counter| counters.push(counter));
        Propagation { edits, counters }
    }

    /// The same, but tells at once what to count instead of keeping it.
    pub fn propagate<'a>(
        &'a self,
        request: &dyn Request,
        store: &dyn Store,
        mut count: impl FnMut(Counter),
    ) -> Vec<Edit<'a>> {
        match self.direction.or_else(|| request.direction()) {
            Some(Direction::Inbound) => self.remember(request, store, &mut count),
            Some(Direction::Outbound) => return self.restore(request, store, &mut count),
            None => count(Counter::UnknownDirection),
        }
        Vec::new()
    }

    fn remember(&self, request: &dyn Request, store: &dyn Store, count: &mut dyn FnMut(Counter)) {
        let value = self.trace_header(request);
        let id = match self.id(&value) {
            Id::Nothing => return count(Counter::InsertNoId),
            Id::TooLong => return count(Counter::InsertUnusable),
            Id::Usable(id) => id,
        };
        let carried = tags::read(&self.route_headers, request);
        let tags = match &carried {
            Carried::Tags(tags) => Some(tags.as_slice()),
            // The last writer wins, also when it has no tag: this request is in the baseline, and so must be what it
            // causes.
            Carried::Nothing | Carried::Unusable => None,
        };
        let (written, conflicts) = self.table.write(store, &id, tags);
        (0..conflicts).for_each(|_| count(Counter::Conflict));
        count(match written {
            _ if carried == Carried::Unusable => Counter::InsertUnusable,
            Written::New => Counter::InsertNew,
            Written::EvictedAlive => Counter::InsertEvictedAlive,
            Written::Changed => Counter::InsertChanged,
            Written::Refreshed => Counter::InsertRefreshed,
            Written::Unchanged => Counter::InsertUnchanged,
            Written::Forgotten => Counter::InsertForgotten,
            Written::Nothing => Counter::InsertNoTag,
            Written::GivenUp => Counter::InsertGivenUp,
        });
    }

    /// Header by header: what the request carries stays; else what is remembered; else, if nothing is, the pod's label.
    fn restore<'a>(
        &'a self,
        request: &dyn Request,
        store: &dyn Store,
        count: &mut dyn FnMut(Counter),
    ) -> Vec<Edit<'a>> {
        let is_missing = |header: &&HeaderName| request.value(header.as_str()).is_none();
        let missing: Vec<&HeaderName> = self.route_headers.iter().filter(is_missing).collect();
        if missing.is_empty() {
            count(Counter::LookupHeader);
            return Vec::new();
        }
        match self.look_up(request, store) {
            Ok(tags) => {
                count(Counter::LookupHit);
                let tagged = self.route_headers.iter().zip(tags);
                let tagged = tagged.filter(|(header, _)| missing.contains(header));
                tagged.filter_map(|(header, tag)| Some(Edit::Set(Cow::Borrowed(header), Cow::Owned(tag?)))).collect()
            }
            Err(counter) => {
                count(counter);
                let Some(tag) = &self.pod_tag else { return Vec::new() };
                count(Counter::PodLabel);
                missing.into_iter().map(|header| Edit::Set(Cow::Borrowed(header), Cow::Borrowed(tag))).collect()
            }
        }
    }

    /// The tags that are remembered about the request's id, in the order of the route headers; or the counter that says why
    /// nothing is.
    fn look_up(&self, request: &dyn Request, store: &dyn Store) -> Result<Vec<Option<HeaderValue>>, Counter> {
        let value = self.trace_header(request);
        let Id::Usable(id) = self.id(&value) else { return Err(Counter::LookupNoId) };
        match self.table.look_up(store, &id, |tags| tags::decode(tags, self.route_headers.len())) {
            Found::Alive(tags) => tags.ok_or(Counter::LookupMiss),
            Found::Expired => Err(Counter::LookupExpired),
            Found::Nothing => Err(Counter::LookupMiss),
        }
    }

    fn trace_header<'r>(&self, request: &'r dyn Request) -> Cow<'r, [u8]> {
        request.value(self.trace_header.as_str()).unwrap_or_default()
    }

    fn id<'v>(&self, value: &'v [u8]) -> Id<'v> {
        match self.id_format.id(value) {
            None => Id::Nothing,
            Some(id) if id.len() > MAX_ID => Id::TooLong,
            Some(id) => Id::Usable(id),
        }
    }
}
