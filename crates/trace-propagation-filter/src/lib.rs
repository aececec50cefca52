//! The Proxy-Wasm module `trace_propagation.wasm`: [`trace_propagation::Propagator`] in a proxy.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use std::{fmt::Display, thread::LocalKey};

use filter_host::{HostRequest, Logic, Outcome, Serving, process};
use trace_propagation::{Counter, Propagator, Store, Stored, Verdict};

proxy_wasm::main! {{ filter_host::start::<TracePropagation>(); }}

thread_local! {
    static SERVING: Serving<TracePropagation> = Serving::default();
}

struct TracePropagation(Propagator);

/// What all workers of this process share.
struct Process;

impl Logic for TracePropagation {
    const NAME: &'static str = "trace_propagation";

    fn parse(configuration: &[u8]) -> Result<Self, impl Display> {
        Propagator::parse(configuration, process::node_label).map(Self)
    }

    fn warnings(&self) -> impl Iterator<Item = impl Display> {
        self.0.warnings().iter()
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest) -> Outcome<'_> {
        let Verdict { edits, counters } = self.0.on_request(request, &Process);
        Outcome { edits, counters: counters.into_iter().map(Counter::index).collect() }
    }

    fn serving() -> &'static LocalKey<Serving<Self>> {
        &SERVING
    }
}

impl Store for Process {
    fn get(&self, key: &str) -> Option<Stored> {
        let (value, version) = process::get_shared_data(key)?;
        Some(Stored { value, version })
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> bool {
        process::set_shared_data(key, value, version)
    }

    fn now(&self) -> u64 {
        process::now()
    }
}
