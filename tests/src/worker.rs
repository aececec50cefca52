//! A filter on one worker of the in-process host, which takes and gives header lists.

use anyhow::{Result, ensure};
use header_edit::{Directed, Direction, HeaderList};

use crate::{
    module_host::{Module, Plugin, Process, Vm},
    wasm_listeners::POD_LABELS,
};

/// The name of the plug-in.
pub const PLUGIN: &str = "lanes";

/// A VM with a plug-in that has been given its configuration.
#[derive(Debug)]
pub struct Worker {
    vm: Vm,
    plugin: Plugin,
}

/// What became of a request.
#[derive(Debug)]
pub struct Passed {
    /// The headers that go on.
    pub headers: HeaderList,
    /// Envoy chooses the route anew.
    pub route_cache_cleared: bool,
}

impl Worker {
    /// Starts the module with this `pluginConfig`.
    ///
    /// # Errors
    /// The module traps, or it says that it does not accept the configuration, which none may.
    pub fn start(module: &Module, process: &Process, configuration: &str) -> Result<Self> {
        let mut vm = Vm::start(module, process)?;
        for (label, value) in POD_LABELS {
            vm.set_property(&["xds", "node", "metadata", "LABELS", label], value.as_bytes());
        }
        let plugin = vm.configure(PLUGIN, configuration.as_bytes())?;
        ensure!(plugin.accepted, "a module that refuses makes Envoy answer 500 to everything");
        Ok(Self { vm, plugin })
    }

    /// Passes a request through, and lets the second end in which its counts are reported.
    ///
    /// # Errors
    /// The module traps, or it does not let the request go on.
    pub fn request(&mut self, request: &Directed<HeaderList>) -> Result<Passed> {
        // The values of `envoy.config.core.v3.TrafficDirection`.
        let direction: i64 = match request.direction {
            None => 0,
            Some(Direction::Inbound) => 1,
            Some(Direction::Outbound) => 2,
        };
        self.vm.set_property(&["xds", "listener_direction"], &direction.to_le_bytes());
        let lines = request.headers.lines().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
        let stream = self.vm.request(self.plugin, lines, true)?;
        let lines = stream.headers.iter().cloned();
        let headers = lines.map(|(name, value)| Ok((String::from_utf8(name)?, value))).collect::<Result<_>>()?;
        let passed = Passed { headers, route_cache_cleared: stream.route_cache_cleared };
        self.vm.finish(stream)?;
        self.vm.tick(self.plugin)?;
        Ok(passed)
    }
}
