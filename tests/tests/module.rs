//! Tier 2: the shared cases through the release modules, in an in-process host.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use header_edit::{Directed, Direction, HeaderList};
use traffic_lanes_tests::{
    cases::{Case, Verdict},
    filter::Filter,
    module_host::{Action, Level, Module, Plugin, Process, Stream, Vm},
    tier::{self, Tier},
};

fn main() -> Result<ExitCode> {
    tier::run(|filter, _| Ok(InProcess { filter, module: Module::load(&filter.module()?)? }))
}

struct InProcess {
    filter: Filter,
    module: Module,
}

/// A VM that has been given a configuration.
struct Running {
    filter: Filter,
    process: Process,
    vm: Vm,
    plugin: Plugin,
}

impl InProcess {
    fn configure(&self, configuration: &str) -> Result<Running> {
        let process = Process::new();
        let mut vm = Vm::start(&self.module, &process)?;
        let plugin = vm.configure("lanes", configuration.as_bytes())?;
        ensure!(plugin.accepted, "a module that refuses makes Envoy answer 500 to everything");
        Ok(Running { filter: self.filter, process, vm, plugin })
    }
}

impl Running {
    fn request(&mut self, request: &Directed<HeaderList>) -> Result<(Stream, HeaderList)> {
        // The values of `envoy.config.core.v3.TrafficDirection`.
        let direction: i64 = match request.direction {
            None => 0,
            Some(Direction::Inbound) => 1,
            Some(Direction::Outbound) => 2,
        };
        self.vm.set_property(&["xds", "listener_direction"], &direction.to_le_bytes());
        let lines = request.headers.lines().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
        let stream = self.vm.request(self.plugin, lines, true)?;
        ensure!(stream.action == Action::Continue && stream.local_response.is_none(), "the request was held up");
        let arrived = stream.headers.iter().cloned();
        let arrived = arrived.map(|(name, value)| Ok((String::from_utf8(name)?, value))).collect::<Result<_>>()?;
        Ok((stream, arrived))
    }

    fn gauge(&self) -> Option<u64> {
        self.process.gauge(&self.filter.refused_gauge("lanes"))
    }

    fn logged(&self, level: Level) -> Vec<String> {
        self.process.log().into_iter().filter(|(l, _)| *l == level).map(|(_, text)| text).collect()
    }
}

impl Tier for InProcess {
    fn request(&self, case: &Case) -> Result<()> {
        let mut running = self.configure(&case.config)?;
        let (stream, arrived) = running.request(&case.request)?;
        ensure!(arrived == case.request.headers || stream.route_cache_cleared, "the old route was kept");
        running.vm.finish(stream)?;
        running.vm.tick(running.plugin)?;
        if let Some(counter) = &case.counter {
            let count = running.process.counter(counter);
            ensure!(count == Some(1), "{counter}: expected 1, got {count:?} in {:?}", running.process.counters());
        }
        ensure!(running.gauge() == Some(0), "the gauge says that the configuration was refused");
        case.check(&arrived)
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let mut running = self.configure(&verdict.config)?;
        let request = Directed { headers: tier::any_request(), direction: None };
        let (stream, arrived) = running.request(&request)?;
        ensure!(arrived == request.headers && !stream.route_cache_cleared, "the request was touched: {arrived:?}");
        ensure!(running.gauge() == Some(1), "the gauge does not say that the configuration was refused");
        let said = running.logged(Level::Error);
        let line = said.first().context("nothing was logged")?;
        ensure!(line.contains(&format!("configuration refused: {}; ", verdict.message)), "logged {line}");
        ensure!(said.len() == 1, "logged more than once: {said:?}");
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let running = self.configure(&verdict.config)?;
        let said = running.logged(Level::Warn);
        ensure!(said == [format!("{}: {}", self.filter.module_name(), verdict.message)], "logged {said:?}");
        ensure!(running.gauge() == Some(0), "the gauge says that the configuration was refused");
        Ok(())
    }
}
