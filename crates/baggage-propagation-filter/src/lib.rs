//! The Proxy-Wasm module `baggage_propagation.wasm`: [`baggage_propagation::Propagator`] in a proxy.

use std::{fmt::Display, iter};

use baggage_propagation::{Problem, Propagator, Verdict};
use filter_host::{HostRequest, Logic};
use header_edit::Edit;

filter_host::filter!(BaggagePropagation);

struct BaggagePropagation(Propagator);

impl Logic for BaggagePropagation {
    const NAME: &'static str = "baggage_propagation";

    fn parse(configuration: &[u8]) -> Result<Self, impl Display> {
        Propagator::parse(configuration).map(Self)
    }

    fn warnings(&self) -> impl Iterator<Item = impl Display> {
        iter::empty::<Problem>()
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest, mut count: impl FnMut(usize)) -> Vec<Edit<'_>> {
        let Verdict { edits, events } = self.0.on_request(request);
        events.iter().for_each(|event| count(event.counter()));
        edits
    }
}
