//! Metrics, with as few host calls as possible.

use std::cell::Cell;

use proxy_wasm_abi::{BadStatus, Metric, define_counter};

/// Counters that add up inside the module and reach the host when they are flushed.
pub(crate) struct Counters(Vec<Counter>);

struct Counter {
    metric: Metric,
    pending: Cell<i64>,
}

impl Counters {
    pub(crate) fn define(names: &[String]) -> Result<Self, BadStatus> {
        let define = |name: &String| Ok(Counter { metric: define_counter(name)?, pending: Cell::new(0) });
        names.iter().map(define).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn add_one(&self, index: usize) {
        if let Some(counter) = self.0.get(index) {
            // Nobody counts to 2^63 between two flushes.
            counter.pending.set(counter.pending.get().wrapping_add(1));
        }
    }

    pub(crate) fn flush(&self) {
        for counter in &self.0 {
            let pending = counter.pending.take();
            if pending > 0 && counter.metric.increment(pending).is_err() {
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
