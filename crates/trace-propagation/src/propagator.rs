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
pub struct Verdict<'a> {
    /// What to change about the headers: nothing but route headers of outbound requests.
    pub edits: Vec<Edit<'a>>,
    /// What to add one to; a counter may be named several times.
    pub counters: Vec<Counter>,
}

/// The id of one request.
enum Id {
    Nothing,
    TooLong,
    Usable(Vec<u8>),
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
    pub fn on_request<'a>(&'a self, request: &dyn Request, store: &dyn Store) -> Verdict<'a> {
        match self.direction.or_else(|| request.direction()) {
            Some(Direction::Inbound) => Verdict { edits: Vec::new(), counters: self.remember(request, store) },
            Some(Direction::Outbound) => self.restore(request, store),
            None => Verdict { edits: Vec::new(), counters: vec![Counter::UnknownDirection] },
        }
    }

    fn remember(&self, request: &dyn Request, store: &dyn Store) -> Vec<Counter> {
        let id = match self.id(request) {
            Id::Nothing => return vec![Counter::InsertNoId],
            Id::TooLong => return vec![Counter::InsertUnusable],
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
        let mut counters = vec![Counter::Conflict; usize::try_from(conflicts).unwrap_or_default()];
        counters.push(match written {
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
        counters
    }

    /// Header by header: what the request carries stays; else what is remembered; else, if nothing is, the pod's label.
    fn restore<'a>(&'a self, request: &dyn Request, store: &dyn Store) -> Verdict<'a> {
        let is_missing = |header: &HeaderName| request.first(header.as_str()).is_none_or(|tag| tag.is_empty());
        let missing: Vec<bool> = self.route_headers.iter().map(is_missing).collect();
        if !missing.contains(&true) {
            return Verdict { edits: Vec::new(), counters: vec![Counter::LookupHeader] };
        }
        let headers = self.route_headers.iter().zip(missing);
        let headers = headers.filter_map(|(header, missing)| missing.then_some(header));
        match self.look_up(request, store) {
            Ok(tags) => {
                let tag = |header: &HeaderName| tags.iter().find(|(tagged, _)| *tagged == header);
                let edit =
                    |header: &'a HeaderName| Some(Edit::Set(Cow::Borrowed(header), Cow::Owned(tag(header)?.1.clone())));
                Verdict { edits: headers.filter_map(edit).collect(), counters: vec![Counter::LookupHit] }
            }
            Err(counter) => {
                let edit = |header| Some(Edit::Set(Cow::Borrowed(header), Cow::Borrowed(self.pod_tag.as_ref()?)));
                let edits: Vec<Edit<'_>> = headers.filter_map(edit).collect();
                let label = (!edits.is_empty()).then_some(Counter::PodLabel);
                Verdict { edits, counters: [counter].into_iter().chain(label).collect() }
            }
        }
    }

    /// What is remembered about the request's id, or the counter that says why nothing is.
    fn look_up(&self, request: &dyn Request, store: &dyn Store) -> Result<Vec<(&HeaderName, HeaderValue)>, Counter> {
        let Id::Usable(id) = self.id(request) else { return Err(Counter::LookupNoId) };
        let bytes = match self.table.look_up(store, &id) {
            Found::Alive(bytes) => bytes,
            Found::Expired => return Err(Counter::LookupExpired),
            Found::Nothing => return Err(Counter::LookupMiss),
        };
        let tags = tags::decode(&bytes, self.route_headers.len()).ok_or(Counter::LookupMiss)?;
        Ok(self.route_headers.iter().zip(tags).filter_map(|(header, tag)| Some((header, tag?))).collect())
    }

    fn id(&self, request: &dyn Request) -> Id {
        let value = request.first(self.trace_header.as_str()).unwrap_or_default();
        match self.id_format.id(&value) {
            None => Id::Nothing,
            Some(id) if id.len() > MAX_ID => Id::TooLong,
            Some(id) => Id::Usable(id.into_owned()),
        }
    }
}
