//! The Proxy-Wasm module `baggage_propagation.wasm`: [`baggage_propagation::Propagator`] in a proxy.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use std::{fmt::Display, iter, thread::LocalKey};

use baggage_propagation::{Problem, Propagator, Verdict};
use filter_host::{HostRequest, Logic, Outcome, Serving};

proxy_wasm::main! {{ filter_host::start::<BaggagePropagation>(); }}

thread_local! {
    static SERVING: Serving<BaggagePropagation> = Serving::default();
}

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

    fn on_request(&self, request: &HostRequest) -> Outcome<'_> {
        let Verdict { edits, events } = self.0.on_request(request);
        Outcome { edits, counters: events.into_iter().map(|event| event.counter()).collect() }
    }

    fn serving() -> &'static LocalKey<Serving<Self>> {
        &SERVING
    }
}
