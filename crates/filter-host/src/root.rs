//! A configuration that survives bad updates.

use std::{cell::Cell, mem, rc::Rc, time::Duration};

use header_edit::{HeaderName, HeaderValue};
use plugin_config::metric_name;
use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, BufferType, ContextType, MapType},
};

use crate::{
    Filter,
    configuration::Configuration,
    counters::{Counter, Gauge},
    process,
    serving::{self, Place, Record},
};

/// How long counts may wait inside the module, and how old the record of what served may be.
const PERIOD: Duration = Duration::from_secs(1);

/// How many requests of a period say where a configuration serves. One is too few: listeners that share a plug-in, as those of one
/// ECDS resource do, are told apart by their requests only.
const TOLD: u32 = 16;

/// What the host configures: one plug-in of a listener, in one worker.
pub(crate) struct Root {
    filter: Option<Filter>,
    plugin: Option<Rc<Plugin>>,
}

/// A plug-in with the configuration that came.
struct Plugin {
    filter: Filter,
    name: Vec<u8>,
    answer: Answer,
    /// Whether the configuration was refused, for all contexts of the plug-in.
    refused: Option<Gauge>,
    /// Whether requests came since the last tick.
    is_used: Cell<bool>,
}

/// What became of the configuration.
enum Answer {
    Accepted {
        configuration: Rc<Configuration>,
        /// How many requests may still say where this serves, and in which generation; [`TOLD`] in another, and after a tick.
        left: Cell<(u64, u32)>,
    },
    /// What served before at a listener goes on serving there; elsewhere requests pass untouched.
    Refused { before: Vec<Rc<Configuration>>, untouched: Option<Counter> },
}

struct Stream {
    plugin: Option<Rc<Plugin>>,
    /// The lines that its response gets.
    response: Vec<(HeaderName, HeaderValue)>,
}

// === impl Root ===

impl Root {
    pub(crate) fn new(filter: Option<Filter>) -> Self {
        Self { filter, plugin: None }
    }
}

impl Context for Root {}

impl RootContext for Root {
    /// A module that refuses by returning false answers every request with 500 where no other configuration has come
    /// before, so the host is always told that all is well, and people by log and metrics.
    fn on_configure(&mut self, size: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten();
        self.plugin = self.filter.map(|filter| Rc::new(Plugin::new(filter, &text.unwrap_or_default())));
        if let Err(status) = hostcalls::set_tick_period(PERIOD) {
            log::error!("failed to set the timer: host status {}", status as u32);
        }
        true
    }

    fn on_tick(&mut self) {
        if let Some(plugin) = &self.plugin {
            plugin.on_tick();
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { plugin: self.plugin.clone(), response: Vec::new() }))
    }
}

// === impl Plugin ===

impl Plugin {
    fn new(filter: Filter, text: &[u8]) -> Self {
        let name = process::property(&["plugin_name"]).unwrap_or_default();
        let metric = |what: &str| metric_name(&[("plugin", &name)], &format!("{}_{what}", filter.name));
        let answer = match Configuration::read(filter, text) {
            Ok(configuration) => Answer::Accepted { configuration: Rc::new(configuration), left: Cell::default() },
            Err(error) => {
                let before = serving::held(&name);
                let instead = if before.is_empty() {
                    "there is no previous configuration here: requests pass untouched"
                } else {
                    "the previous configuration keeps serving"
                };
                log::error!("{}: configuration refused: {error}; {instead}", filter.name);
                Answer::Refused { before, untouched: Counter::define(&metric("untouched_requests")).ok() }
            }
        };
        serving::arrived(&name, answer.accepted());
        let refused = Gauge::define(&metric("configuration_refused")).ok();
        let plugin = Self { filter, answer, refused, is_used: Cell::new(false), name };
        plugin.report();
        plugin
    }

    fn report(&self) {
        if let Some(gauge) = self.refused {
            gauge.set(self.answer.accepted().is_none().into());
        }
    }

    fn on_tick(&self) {
        match &self.answer {
            Answer::Accepted { configuration, left } => {
                configuration.flush();
                left.set((serving::generation(), TOLD));
            }
            Answer::Refused { before, untouched } => {
                before.iter().for_each(|configuration| configuration.flush());
                untouched.iter().for_each(Counter::flush);
            }
        }
        // Envoy goes back to a context that still drains, without a word to it, when its very configuration returns.
        if self.is_used.take() {
            self.report();
        }
    }

    fn record(&self) -> Record {
        Record::of(self.filter.name, &self.name)
    }

    fn on_request_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        self.is_used.set(true);
        match &self.answer {
            Answer::Accepted { configuration, left } => {
                let generation = serving::generation();
                let (of, number) = left.get();
                if let Some(number) = (if of == generation { number } else { TOLD }).checked_sub(1) {
                    left.set((generation, number));
                    self.record().write(&Place::of_stream(), configuration);
                }
                configuration.apply()
            }
            Answer::Refused { before, untouched } => match self.record().find(&Place::of_stream(), before) {
                Some(configuration) => configuration.apply(),
                None => {
                    untouched.iter().for_each(Counter::add_one);
                    Vec::new()
                }
            },
        }
    }
}

// === impl Answer ===

impl Answer {
    fn accepted(&self) -> Option<&Rc<Configuration>> {
        match self {
            Self::Accepted { configuration, .. } => Some(configuration),
            Self::Refused { .. } => None,
        }
    }
}

// === impl Stream ===

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(plugin) = &self.plugin {
            self.response = plugin.on_request_headers();
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        for (name, value) in mem::take(&mut self.response) {
            let added = hostcalls::add_map_value_bytes(MapType::HttpResponseHeaders, name.as_str(), value.as_bytes());
            if let Err(status) = added {
                log::error!("failed to add header {}: host status {}", name.as_str(), status as u32);
            }
        }
        Action::Continue
    }
}
