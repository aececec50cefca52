//! The Proxy-Wasm module `trace_propagation.wasm`: [`trace_propagation::Propagator`] in a proxy.
#![expect(missing_docs, reason = "the entry point that `proxy_wasm::main!` writes has no doc comment")]

use std::hash::{BuildHasher, Hasher, RandomState};

use filter_host::{Changes, Filter, HostRequest, Logic, process};
use trace_propagation::{Problem, Propagator, Store, Stored};

proxy_wasm::main! {{
    filter_host::start(Filter {
        name: "trace_propagation",
        parse: |configuration| Ok(Box::new(TracePropagation(Propagator::parse(configuration, process::node_label)?))),
    });
}}

struct TracePropagation(Propagator);

/// What all workers of this process share.
struct Process;

impl Logic for TracePropagation {
    fn warnings(&self) -> &[Problem] {
        self.0.warnings()
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest, count: &mut dyn FnMut(usize)) -> Changes<'_> {
        self.0.propagate(request, &Process, |counter| count(counter.index())).into()
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

    /// What Rust's hash maps are keyed with, which is WASI's `random_get`: the proxy's own generator for keys.
    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}
