//! Metrics, with as few host calls as possible.

use std::cell::Cell;

use proxy_wasm::{
    hostcalls,
    types::{MetricType, Status},
};

/// Counters that add up inside the module and reach the host when they are flushed.
pub(crate) struct Counters(Vec<Counter>);

struct Counter {
    id: u32,
    pending: Cell<i64>,
}

impl Counters {
    pub(crate) fn define(names: &[String]) -> Result<Self, Status> {
        let define = |name: &String| {
            Ok(Counter { id: hostcalls::define_metric(MetricType::Counter, name)?, pending: Cell::new(0) })
        };
        names.iter().map(define).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn add_one(&self, index: usize) {
        if let Some(counter) = self.0.get(index) {
            counter.pending.set(counter.pending.get().saturating_add(1));
        }
    }

    pub(crate) fn flush(&self) {
        for counter in &self.0 {
            let pending = counter.pending.take();
            if pending > 0 && hostcalls::increment_metric(counter.id, pending).is_err() {
                counter.pending.set(pending);
            }
        }
    }
}

/// What was counted under a configuration is not lost when its last stream ends.
impl Drop for Counters {
    fn drop(&mut self) {
        self.flush();
    }
}

/// A value that is set, when a configuration arrives and not per request.
#[derive(Clone, Copy)]
pub(crate) struct Gauge(u32);

impl Gauge {
    pub(crate) fn define(name: &str) -> Result<Self, Status> {
        hostcalls::define_metric(MetricType::Gauge, name).map(Self)
    }

    pub(crate) fn set(self, value: u64) {
        if let Err(status) = hostcalls::record_metric(self.0, value) {
            log::error!("failed to set a gauge: host status {}", status as u32);
        }
    }
}
