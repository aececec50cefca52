//! Metrics, with as few host calls as possible.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use proxy_wasm::{
    hostcalls,
    types::{MetricType, Status},
};

thread_local! {
    /// Envoy keeps a new entry for each definition of a metric, and never frees one.
    static DEFINED: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
}

/// The host's number of a metric, which is asked for once in a VM.
fn define(kind: MetricType, name: &str) -> Result<u32, Status> {
    DEFINED.with_borrow_mut(|defined| match defined.get(name) {
        Some(id) => Ok(*id),
        None => {
            let id = hostcalls::define_metric(kind, name)?;
            defined.insert(name.to_owned(), id);
            Ok(id)
        }
    })
}

/// Counters that add up inside the module and reach the host when they are flushed.
pub(crate) struct Counters(Vec<Counter>);

/// One counter.
pub(crate) struct Counter {
    id: u32,
    pending: Cell<i64>,
}

/// A value that is set when a configuration arrives, and not per request.
#[derive(Clone, Copy)]
pub(crate) struct Gauge(u32);

// === impl Counters ===

impl Counters {
    pub(crate) fn define(names: &[String]) -> Result<Self, Status> {
        names.iter().map(|name| Counter::define(name)).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn add_one(&self, index: usize) {
        if let Some(counter) = self.0.get(index) {
            counter.add_one();
        }
    }

    pub(crate) fn flush(&self) {
        self.0.iter().for_each(Counter::flush);
    }
}

// === impl Counter ===

impl Counter {
    pub(crate) fn define(name: &str) -> Result<Self, Status> {
        Ok(Self { id: define(MetricType::Counter, name)?, pending: Cell::new(0) })
    }

    pub(crate) fn add_one(&self) {
        self.pending.set(self.pending.get().saturating_add(1));
    }

    pub(crate) fn flush(&self) {
        let pending = self.pending.take();
        if pending > 0 && hostcalls::increment_metric(self.id, pending).is_err() {
            self.pending.set(pending);
        }
    }
}

/// What was counted under a configuration is not lost when its last stream ends.
impl Drop for Counter {
    fn drop(&mut self) {
        self.flush();
    }
}

// === impl Gauge ===

impl Gauge {
    pub(crate) fn define(name: &str) -> Result<Self, Status> {
        define(MetricType::Gauge, name).map(Self)
    }

    pub(crate) fn set(self, value: u64) {
        if let Err(status) = hostcalls::record_metric(self.0, value) {
            log::error!("failed to set a gauge: host status {}", status as u32);
        }
    }
}
