//! From a request to edits.

use header_edit::{Direction, Edit, HeaderList, HeaderName, Request, RequestHeaders};
use plugin_config::Refused;

use crate::{
    Event, Events,
    carry::{Way, carry},
    compile::compile,
    config::{DirectionConfig, MalformedConfig, OnConflictConfig},
    mapping::Mappings,
    strip::strip,
};

/// A valid configuration, ready to decide.
///
/// A request that has nothing to carry costs one look at the headers: at the first named header where headers become
/// members, at the list where members become headers, and the direction unless it is configured. With prefixes, all
/// header lines are read at once.
#[derive(Debug)]
pub struct Propagator {
    pub(crate) mappings: Mappings,
    /// The name of the header that holds the list.
    pub(crate) baggage: HeaderName,
    pub(crate) direction: DirectionConfig,
    pub(crate) on_conflict: OnConflictConfig,
    pub(crate) malformed: MalformedConfig,
    pub(crate) counters: [String; Event::ALL.len()],
}

/// Everything a propagator has to say about one request.
#[derive(Debug, Default)]
pub struct Propagation<'a> {
    /// What to change about the headers.
    pub edits: Vec<Edit<'a>>,
    /// What to count.
    pub events: Events,
}

impl Propagator {
    /// Reads a `pluginConfig`: a JSON object of the shape of [`crate::config::Config`].
    ///
    /// # Errors
    /// The configuration is refused whole, with everything that is wrong about it.
    pub fn parse(json: &[u8]) -> Result<Self, Refused> {
        compile(json)
    }

    /// The names of the counters, see [`Event::counter`], in the form that Envoy's tag extraction turns into labels
    /// (`key=.=value;.;`).
    pub fn counters(&self) -> &[String] {
        &self.counters
    }

    /// Decides about one request.
    pub fn on_request<'a>(&'a self, request: &dyn Request) -> Propagation<'a> {
        let way = match self.direction {
            DirectionConfig::Auto => match request.direction() {
                Some(Direction::Inbound) => Some(Way::Inbound),
                Some(Direction::Outbound) => Some(Way::Outbound),
                // What either direction needs, because nobody says which it is.
                None => Some(Way::Both),
            },
            DirectionConfig::Inbound => Some(Way::Inbound),
            DirectionConfig::Outbound => Some(Way::Outbound),
            DirectionConfig::Both => Some(Way::Both),
            DirectionConfig::Strip => None,
        };
        if self.mappings.prefixes.is_empty() || way == Some(Way::Outbound) {
            return self.decide(way, request);
        }
        let headers: HeaderList = request.every_line().into_iter().collect();
        self.decide(way, &headers)
    }

    fn decide<'a>(&'a self, way: Option<Way>, headers: &dyn RequestHeaders) -> Propagation<'a> {
        way.map_or_else(|| strip(self, headers), |way| carry(self, way, headers))
    }
}

impl Propagation<'_> {
    pub(crate) fn count(&mut self, event: Event) {
        self.events.insert(event);
    }
}
