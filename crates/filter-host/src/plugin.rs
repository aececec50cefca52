//! A configuration that survives bad updates.

use std::rc::Rc;

use plugin_config::metric_name;
use proxy_wasm_abi::{LogLevel, Metric, define_gauge, log};

use crate::{HostRequest, Logic, counters::Counters};

/// One plug-in of a worker: a context that the host configures.
pub(crate) struct Plugin<L> {
    pub(crate) context: u32,
    pub(crate) name: Vec<u8>,
    active: Option<Rc<Active<L>>>,
    refused: Refused,
    /// Whether requests came since the last tick.
    is_used: bool,
    /// How often other plug-ins were called by their timers since the host last called this one.
    pub(crate) silence: usize,
}

/// A configuration in use, with its counters.
pub(crate) struct Active<L> {
    logic: L,
    counters: Counters,
}

/// Whether the configuration that came with this context was refused, as a gauge for all contexts of the plug-in.
struct Refused {
    is_refused: bool,
    gauge: Option<Metric>,
}

impl<L: Logic> Plugin<L> {
    /// The new configuration if it is good, else `previous`, else none: then requests pass untouched.
    ///
    /// A module that refuses by returning false from `on_configure` answers every request with 500 where no other
    /// configuration has come before, so the host is always told that all is well, and people by log and gauge.
    pub(crate) fn new(context: u32, name: Vec<u8>, configuration: &[u8], previous: Option<Rc<Active<L>>>) -> Self {
        let gauge = metric_name(&[("plugin", &name)], &[L::NAME, "_configuration_refused"].concat());
        let activated = activate::<L>(configuration);
        let refused = Refused { is_refused: activated.is_err(), gauge: define_gauge(&gauge).ok() };
        let active = activated.map_or_else(
            |error| {
                let instead = match previous {
                    Some(_) => "the previous configuration keeps serving",
                    None => "there is no previous configuration here: requests pass untouched",
                };
                log(LogLevel::Error, &[L::NAME, ": configuration refused: ", &error, "; ", instead].concat());
                previous
            },
            |active| Some(Rc::new(active)),
        );
        let plugin = Self { context, name, active, refused, is_used: false, silence: 0 };
        plugin.report();
        plugin
    }

    pub(crate) fn active(&self) -> Option<Rc<Active<L>>> {
        self.active.clone()
    }

    pub(crate) fn on_tick(&mut self) {
        if let Some(active) = &self.active {
            active.counters.flush();
        }
        // Envoy goes back to a context that still drains, without a word to it, when its very configuration returns.
        if std::mem::take(&mut self.is_used) {
            self.report();
        }
    }

    pub(crate) fn on_request_headers(&mut self) {
        self.is_used = true;
        self.silence = 0;
        if let Some(active) = &self.active {
            let count = |counter| active.counters.add_one(counter);
            HostRequest::apply(active.logic.on_request(&HostRequest, count));
        }
    }

    fn report(&self) {
        let Some(gauge) = self.refused.gauge else { return };
        if let Err(status) = gauge.record(self.refused.is_refused.into()) {
            log(LogLevel::Error, &format!("failed to set a gauge: {status}"));
        }
    }
}

/// A configuration from its text to its counters.
fn activate<L: Logic>(configuration: &[u8]) -> Result<Active<L>, String> {
    let logic = L::parse(configuration).map_err(|error| error.to_string())?;
    for warning in logic.warnings() {
        log(LogLevel::Warn, &format!("{}: {warning}", L::NAME));
    }
    let counters =
        Counters::define(logic.counters()).map_err(|status| format!("failed to define its metrics: {status}"))?;
    Ok(Active { logic, counters })
}
