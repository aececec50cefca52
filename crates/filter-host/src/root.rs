//! A configuration that survives bad updates.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::{Rc, Weak},
    time::Duration,
};

use plugin_config::metric_name;
use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType},
};

use crate::{
    Logic, Outcome,
    counters::{Counters, Gauge},
    request::HostRequest,
};

/// How long counts may wait inside the module.
const FLUSH_PERIOD: Duration = Duration::from_secs(1);

/// The configurations that serve in this VM, by the name of the plug-in.
///
/// An update may come to the root context that it replaces or to a new one in the same VM, depending on the version of
/// Envoy; either way the old configuration is found here. It is held weakly: when the last context that serves it is
/// gone, it cannot come back by mistake.
pub struct Serving<L>(RefCell<BTreeMap<Vec<u8>, Weak<Active<L>>>>);

/// A configuration in use, with its counters.
struct Active<L> {
    logic: L,
    counters: Counters,
}

pub(crate) struct Root<L> {
    active: Option<Rc<Active<L>>>,
    /// Whether the configuration that came with this context was refused, as a gauge for all contexts of the plug-in.
    refused: bool,
    refused_gauge: Option<Gauge>,
    /// Whether requests came since the last tick.
    is_used: Cell<bool>,
}

struct Stream<L> {
    active: Option<Rc<Active<L>>>,
}

// === impl Serving ===

impl<L> Default for Serving<L> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<L> Serving<L> {
    fn get(&self, plugin: &[u8]) -> Option<Rc<Active<L>>> {
        self.0.borrow().get(plugin)?.upgrade()
    }

    fn insert(&self, plugin: Vec<u8>, active: &Rc<Active<L>>) {
        let mut serving = self.0.borrow_mut();
        serving.retain(|_, active| active.strong_count() > 0);
        serving.insert(plugin, Rc::downgrade(active));
    }
}

// === impl Root ===

impl<L> Default for Root<L> {
    fn default() -> Self {
        Self { active: None, refused: false, refused_gauge: None, is_used: Cell::new(false) }
    }
}

impl<L: Logic> Root<L> {
    /// The new configuration if it is good, else the one that serves, else none: then requests pass untouched.
    ///
    /// A module that refuses by returning false from `on_configure` answers every request with 500 where no other
    /// configuration has come before, so the host is always told that all is well, and people by log and gauge.
    fn configure(&mut self, configuration: &[u8]) {
        let plugin = hostcalls::get_property(vec!["plugin_name"]).ok().flatten().unwrap_or_default();
        self.refused = match activate::<L>(configuration) {
            Ok(active) => {
                self.active = Some(Rc::new(active));
                false
            }
            Err(error) => {
                self.active = self.active.take().or_else(|| L::serving().with(|serving| serving.get(&plugin)));
                let instead = match self.active {
                    Some(_) => "the previous configuration keeps serving",
                    None => "there is no previous configuration here: requests pass untouched",
                };
                log::error!("{}: configuration refused: {error}; {instead}", L::NAME);
                true
            }
        };
        let gauge = metric_name(&[("plugin", &plugin)], &format!("{}_configuration_refused", L::NAME));
        self.refused_gauge = Gauge::define(&gauge).ok();
        self.report();
        if let Some(active) = &self.active {
            L::serving().with(|serving| serving.insert(plugin, active));
        }
    }

    fn report(&self) {
        if let Some(gauge) = self.refused_gauge {
            gauge.set(self.refused.into());
        }
    }
}

/// A configuration from its text to its counters.
fn activate<L: Logic>(configuration: &[u8]) -> Result<Active<L>, String> {
    let logic = L::parse(configuration).map_err(|error| error.to_string())?;
    for warning in logic.warnings() {
        log::warn!("{}: {warning}", L::NAME);
    }
    let counters = Counters::define(logic.counters())
        .map_err(|status| format!("failed to define its metrics: host status {}", status as u32))?;
    Ok(Active { logic, counters })
}

impl<L: Logic> Context for Root<L> {}

impl<L: Logic> RootContext for Root<L> {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.configure(&self.get_plugin_configuration().unwrap_or_default());
        self.set_tick_period(FLUSH_PERIOD);
        true
    }

    fn on_tick(&mut self) {
        if let Some(active) = &self.active {
            active.counters.flush();
        }
        // Envoy goes back to a context that still drains, without a word to it, when its very configuration returns.
        if self.is_used.take() {
            self.report();
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        self.is_used.set(true);
        Some(Box::new(Stream { active: self.active.clone() }))
    }
}

// === impl Stream ===

impl<L> Context for Stream<L> {}

impl<L: Logic> HttpContext for Stream<L> {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(active) = &self.active {
            let Outcome { edits, counters } = active.logic.on_request(&HostRequest);
            HostRequest::apply(edits);
            counters.into_iter().for_each(|counter| active.counters.add_one(counter));
        }
        Action::Continue
    }
}
