//! Tier 2: the shared cases through the release module, in an in-process host.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use header_edit::HeaderList;
use traffic_lanes_tests::{
    cases::{Case, Verdict},
    module,
    module_host::{Action, Level, Module, Plugin, Process, Stream, Vm},
    tier::{Suite, Tier},
};

fn main() -> Result<ExitCode> {
    let module = Module::load(&module("hash_tagging.wasm")?)?;
    Ok(Suite::load()?.run(InProcess(module)))
}

struct InProcess(Module);

/// A VM that has been given a configuration.
struct Running {
    process: Process,
    vm: Vm,
    plugin: Plugin,
}

impl InProcess {
    fn configure(&self, configuration: &str) -> Result<Running> {
        let process = Process::new();
        let mut vm = Vm::start(&self.0, &process)?;
        let plugin = vm.configure("lanes", configuration.as_bytes())?;
        ensure!(plugin.accepted, "a module that refuses makes Envoy answer 500 to everything");
        Ok(Running { process, vm, plugin })
    }
}

impl Running {
    fn request(&mut self, request: &HeaderList) -> Result<(Stream, HeaderList)> {
        let lines = request.lines().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
        let stream = self.vm.request(self.plugin, lines, true)?;
        ensure!(stream.action == Action::Continue && stream.local_response.is_none(), "the request was held up");
        let arrived = stream.headers.iter().cloned();
        let arrived = arrived.map(|(name, value)| Ok((String::from_utf8(name)?, value))).collect::<Result<_>>()?;
        Ok((stream, arrived))
    }

    fn gauge(&self) -> Option<u64> {
        self.process.gauge("plugin=.=lanes;.;hash_tagging_configuration_refused")
    }

    fn logged(&self, level: Level) -> Vec<String> {
        self.process.log().into_iter().filter(|(l, _)| *l == level).map(|(_, text)| text).collect()
    }
}

impl Tier for InProcess {
    fn request(&self, case: &Case) -> Result<()> {
        let mut running = self.configure(&case.config)?;
        let (stream, arrived) = running.request(&case.request)?;
        ensure!(arrived == case.request || stream.route_cache_cleared, "the old route was kept");
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
        let request = [(":authority", "a"), (":method", "GET"), (":path", "/"), ("x", "user"), ("t", "mine")];
        let request: HeaderList = request.into_iter().collect();
        let (stream, arrived) = running.request(&request)?;
        ensure!(arrived == request && !stream.route_cache_cleared, "the request was touched: {arrived:?}");
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
        ensure!(said == [format!("hash_tagging: {}", verdict.message)], "logged {said:?}");
        ensure!(running.gauge() == Some(0), "the gauge says that the configuration was refused");
        Ok(())
    }
}
