//! The Proxy-Wasm module `baggage_propagation.wasm`: [`baggage_propagation::Propagator`] in a proxy.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use baggage_propagation::{Problem, Propagation, Propagator};
use filter_host::{Changes, Filter, HostRequest, Logic};

proxy_wasm::main! {{
    filter_host::start(Filter {
        name: "baggage_propagation",
        parse: |configuration| Ok(Box::new(BaggagePropagation(Propagator::parse(configuration)?))),
    });
}}

struct BaggagePropagation(Propagator);

impl Logic for BaggagePropagation {
    fn warnings(&self) -> &[Problem] {
        &[]
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest, count: &mut dyn FnMut(usize)) -> Changes<'_> {
        let Propagation { edits, events } = self.0.on_request(request);
        events.iter().for_each(|event| count(event.counter()));
        edits.into()
    }
}
