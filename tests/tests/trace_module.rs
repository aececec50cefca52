//! Tier 2: the shared cases of trace propagation through the release module, in an in-process host with two workers:
//! requests come in on one and go out on the other.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};
use header_edit::{Direction, HeaderList};
use traffic_lanes_tests::{
    module,
    module_host::{Action, Level, Module, Plugin, Process, Vm},
    trace_cases::{Exchange, Filter, POD_LABELS, Suite, Tier, Verdict},
};

fn main() -> Result<ExitCode> {
    let module = Module::load(&module("trace_propagation.wasm")?)?;
    Ok(Suite::load()?.run(InProcess(module)))
}

struct InProcess(Module);

struct Running {
    process: Process,
    inbound: Worker,
    outbound: Worker,
    neither: Worker,
}

struct Worker {
    vm: Vm,
    plugin: Plugin,
}

impl InProcess {
    fn run(&self, config: &str) -> Result<Running> {
        let process = Process::new();
        let worker = |direction: u64| {
            let mut vm = Vm::start(&self.0, &process)?;
            vm.set_property(&["xds", "listener_direction"], &direction.to_le_bytes());
            for (label, value) in POD_LABELS {
                vm.set_property(&["xds", "node", "metadata", "LABELS", label], value.as_bytes());
            }
            let plugin = vm.configure("lanes", config.as_bytes())?;
            ensure!(plugin.accepted, "a module that refuses makes Envoy answer 500 to everything");
            anyhow::Ok(Worker { vm, plugin })
        };
        Ok(Running { inbound: worker(1)?, outbound: worker(2)?, neither: worker(0)?, process: process.clone() })
    }
}

impl Running {
    /// What arrives, and whether the route is chosen anew.
    fn request(&mut self, direction: Option<Direction>, request: &HeaderList) -> Result<(HeaderList, bool)> {
        let worker = match direction {
            Some(Direction::Inbound) => &mut self.inbound,
            Some(Direction::Outbound) => &mut self.outbound,
            None => &mut self.neither,
        };
        let lines = request.lines().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
        let stream = worker.vm.request(worker.plugin, lines, true)?;
        ensure!(stream.action == Action::Continue && stream.local_response.is_none(), "the request was held up");
        let arrived = stream.headers.iter().cloned();
        let arrived = arrived.map(|(name, value)| Ok((String::from_utf8(name)?, value))).collect::<Result<_>>()?;
        let cleared = stream.route_cache_cleared;
        worker.vm.finish(stream)?;
        worker.vm.tick(worker.plugin)?;
        Ok((arrived, cleared))
    }

    fn gauge(&self) -> Option<u64> {
        self.process.gauge("plugin=.=lanes;.;trace_propagation_configuration_refused")
    }

    /// Every worker says the same.
    fn logged(&self, level: Level) -> Vec<String> {
        let mut lines: Vec<String> =
            self.process.log().into_iter().filter(|(l, _)| *l == level).map(|(_, text)| text).collect();
        lines.dedup();
        lines
    }
}

impl Tier for InProcess {
    fn start(&self, config: &str) -> Result<Box<dyn Filter>> {
        let running = self.run(config)?;
        ensure!(running.gauge() == Some(0), "refused: {:?}", running.logged(Level::Error));
        Ok(Box::new(running))
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let mut running = self.run(&verdict.config)?;
        let request: HeaderList = [(":path", "/"), ("x-user-id", "jessie"), ("t", "mine")].into_iter().collect();
        for direction in [Some(Direction::Inbound), Some(Direction::Outbound), None] {
            let (arrived, cleared) = running.request(direction, &request)?;
            ensure!(arrived == request && !cleared, "the request was touched: {arrived:?}");
        }
        ensure!(running.process.shared_data_len() == 0, "something was stored");
        ensure!(running.gauge() == Some(1), "the gauge does not say that the configuration was refused");
        let said = running.logged(Level::Error);
        let line = said.first().context("nothing was logged")?;
        ensure!(line.contains(&format!("configuration refused: {}; ", verdict.message)), "logged {line}");
        ensure!(said.len() == 1, "logged more than once: {said:?}");
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let running = self.run(&verdict.config)?;
        let said = running.logged(Level::Warn);
        ensure!(said == [format!("trace_propagation: {}", verdict.message)], "logged {said:?}");
        ensure!(running.gauge() == Some(0), "the gauge says that the configuration was refused");
        Ok(())
    }
}

impl Filter for Running {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let before = self.process.counters();
        let (arrived, cleared) = self.request(exchange.direction, &exchange.request)?;
        ensure!(arrived == exchange.request || cleared, "the old route was kept");
        if let Some(counter) = &exchange.counter {
            let after = self.process.counters();
            let counted: Vec<&String> =
                after.iter().filter(|(name, count)| before.get(*name) != Some(count)).map(|(name, _)| name).collect();
            ensure!(counted.contains(&counter), "expected {counter} to be counted, not {counted:?}");
        }
        exchange.check(&arrived)
    }

    fn after(&mut self, time: Duration) -> Result<()> {
        self.process.set_time(self.process.time() + time);
        Ok(())
    }
}
