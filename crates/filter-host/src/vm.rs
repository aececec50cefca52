//! What the host knows of a module in one worker: plug-ins, and streams of them.

use std::{cell::RefCell, time::Duration};

use proxy_wasm_abi::{get_property, plugin_configuration, set_tick_period};

use crate::{Logic, plugin::Plugin, streams::Streams};

/// How long counts may wait inside the module.
const FLUSH_PERIOD: Duration = Duration::from_secs(1);

/// A plug-in whose timer is silent for so many periods is gone: the timers of a worker are called one after another.
const SILENT_PERIODS: usize = 60;

/// All plug-ins of one module in one worker: the host runs those of equal `vm_id` together.
pub struct Vm<L>(RefCell<State<L>>);

struct State<L> {
    /// In the order in which they were configured.
    plugins: Vec<Plugin<L>>,
    streams: Streams,
}

impl<L> Default for Vm<L> {
    fn default() -> Self {
        Self(RefCell::new(State { plugins: Vec::new(), streams: Streams::default() }))
    }
}

impl<L: Logic> Vm<L> {
    /// A stream of the plug-in `parent` begins, or a plug-in, whose parent is 0.
    pub fn on_context_create(&self, context: u32, parent: u32) {
        if parent != 0 {
            self.0.borrow_mut().streams.begin(context, parent);
        }
    }

    /// A plug-in has a configuration, its first or another.
    ///
    /// An update may come to the context that it replaces or to a new one in the same VM, depending on the version of
    /// Envoy; either way the old configuration is found here, by the plug-in's name.
    pub fn on_configure(&self, context: u32) {
        let name = get_property("plugin_name").unwrap_or_default();
        let plugins = &mut self.0.borrow_mut().plugins;
        let is_same = |plugin: &&Plugin<L>| plugin.context == context;
        let is_named_so = |plugin: &&Plugin<L>| plugin.name == name;
        let previous = plugins.iter().find(is_same).or_else(|| plugins.iter().rfind(is_named_so));
        let plugin = Plugin::new(context, name.clone(), &plugin_configuration(), previous.and_then(Plugin::active));
        plugins.retain(|plugin| plugin.context != context);
        plugins.push(plugin);
        set_tick_period(FLUSH_PERIOD);
    }

    /// A second has passed for a plug-in. The counts of all of them go to the host, because of those that have ended.
    pub fn on_tick(&self, context: u32) {
        let plugins = &mut self.0.borrow_mut().plugins;
        let silent = SILENT_PERIODS * plugins.len();
        for plugin in &mut *plugins {
            plugin.silence = if plugin.context == context { 0 } else { plugin.silence + 1 };
            plugin.on_tick();
        }
        plugins.retain(|plugin| plugin.silence <= silent);
    }

    /// The headers of a stream's request have come.
    pub fn on_request_headers(&self, stream: u32) {
        let State { plugins, streams } = &mut *self.0.borrow_mut();
        let plugin = streams.take(stream);
        if let Some(plugin) = plugins.iter_mut().find(|known| Some(known.context) == plugin) {
            plugin.on_request_headers();
        }
    }
}
