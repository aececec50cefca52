//! Good configurations.

use std::hash::{DefaultHasher, Hash, Hasher};

use header_edit::{HeaderName, HeaderValue};

use crate::{Changes, Filter, HostRequest, Logic, counters::Counters};

/// A configuration that was accepted, with its counters.
pub(crate) struct Configuration {
    logic: Box<dyn Logic>,
    counters: Counters,
    /// Of its text: the same in every worker.
    pub(crate) digest: u64,
}

impl Configuration {
    /// From its text, whole or not at all.
    pub(crate) fn read(filter: Filter, text: &[u8]) -> Result<Self, String> {
        let logic = (filter.parse)(text).map_err(|refused| refused.to_string())?;
        for warning in logic.warnings() {
            log::warn!("{}: {warning}", filter.name);
        }
        let counters = Counters::define(logic.counters())
            .map_err(|status| format!("failed to define its metrics: host status {}", status as u32))?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self { logic, counters, digest: hasher.finish() })
    }

    /// Decides about the current request, and counts. What the response gets is for later.
    pub(crate) fn apply(&self) -> Vec<(HeaderName, HeaderValue)> {
        let Changes { request, response } =
            self.logic.on_request(&HostRequest, &mut |counter| self.counters.add_one(counter));
        HostRequest::apply(request);
        response
    }

    pub(crate) fn flush(&self) {
        self.counters.flush();
    }
}
