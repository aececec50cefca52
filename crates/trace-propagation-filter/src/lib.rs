//! The Proxy-Wasm module `trace_propagation.wasm`: [`trace_propagation::Propagator`] in a proxy.

use std::{
    fmt::Display,
    hash::{BuildHasher, Hasher, RandomState},
};

use filter_host::{HostRequest, Logic};
use header_edit::Edit;
use proxy_wasm_abi::{get_property, get_shared_data, now, set_shared_data};
use trace_propagation::{Propagator, Store, Stored};

filter_host::filter!(TracePropagation);

struct TracePropagation(Propagator);

/// What all workers of this process share.
struct Process;

impl Logic for TracePropagation {
    const NAME: &'static str = "trace_propagation";

    fn parse(configuration: &[u8]) -> Result<Self, impl Display> {
        Propagator::parse(configuration, node_label).map(Self)
    }

    fn warnings(&self) -> impl Iterator<Item = impl Display> {
        self.0.warnings().iter()
    }

    fn counters(&self) -> &[String] {
        self.0.counters()
    }

    fn on_request(&self, request: &HostRequest, mut count: impl FnMut(usize)) -> Vec<Edit<'_>> {
        self.0.propagate(request, &Process, |counter| count(counter.index()))
    }
}

impl Store for Process {
    fn get(&self, key: &str) -> Option<Stored> {
        let (value, version) = get_shared_data(key)?;
        Some(Stored { value, version })
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> bool {
        set_shared_data(key, value, version).is_ok()
    }

    fn now(&self) -> u64 {
        now()
    }

    /// What Rust's hash maps are keyed with, which is WASI's `random_get`: the proxy's own generator for keys.
    fn random(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }
}

/// The value of a label of the pod, as Istio writes it into the node's metadata. Readable outside of streams too.
fn node_label(label: &str) -> Option<Vec<u8>> {
    get_property(&["xds\0node\0metadata\0LABELS\0", label].concat())
}
