//! What there is to count.

use plugin_config::metric_name;

/// Something that was done to a request, counted once however often it was done to that request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Event {
    /// A header's value was written into the baggage.
    ToBaggage,
    /// A member's value was written into its header.
    ToHeader,
    /// Header and member had different values.
    Conflict,
    /// The value of a member was skipped: it is broken, or none that HTTP allows in a header.
    InvalidValue,
    /// Headers or members were removed by `direction: strip`.
    Stripped,
    /// Members of others were dropped for their broken percent-encoding.
    DroppedMalformed,
    /// Members were dropped because the list would have exceeded [`baggage::MAX_MEMBERS`] or [`baggage::MAX_BYTES`].
    DroppedOverLimit,
}

/// What was done to one request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Events(u8);

impl Event {
    /// All of them, in the order of their counters.
    pub const ALL: [Self; 7] = [
        Self::ToBaggage,
        Self::ToHeader,
        Self::Conflict,
        Self::InvalidValue,
        Self::Stripped,
        Self::DroppedMalformed,
        Self::DroppedOverLimit,
    ];

    /// The value of the label `action`.
    pub fn action(self) -> &'static str {
        match self {
            Self::ToBaggage => "to_baggage",
            Self::ToHeader => "to_header",
            Self::Conflict => "conflict",
            Self::InvalidValue => "invalid_value",
            Self::Stripped => "stripped",
            Self::DroppedMalformed => "dropped_malformed",
            Self::DroppedOverLimit => "dropped_over_limit",
        }
    }

    /// The index of its counter in [`crate::Propagator::counters`].
    pub fn counter(self) -> usize {
        self as usize
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    pub(crate) fn metric(self) -> String {
        metric_name(&[("action", self.action().as_bytes())], "baggage_propagation_requests")
    }
}

impl Events {
    /// Each at most once, in the order of their counters.
    pub fn iter(self) -> impl Iterator<Item = Event> {
        Event::ALL.into_iter().filter(move |event| self.0 & event.bit() != 0)
    }

    pub(crate) fn insert(&mut self, event: Event) {
        self.0 |= event.bit();
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_event_has_its_counter() {
        for (index, event) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event.counter(), index);
        }
    }

    #[test]
    fn an_event_is_counted_once() {
        let mut events = Events::default();
        for event in [Event::DroppedOverLimit, Event::ToHeader, Event::DroppedOverLimit] {
            events.insert(event);
        }
        assert_eq!(events.iter().collect::<Vec<_>>(), [Event::ToHeader, Event::DroppedOverLimit]);
    }
}
