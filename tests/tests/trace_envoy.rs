//! Tier 3: the shared cases of trace propagation through the release module in a real Envoy. Those that need a clock that
//! can be moved are for the other tiers.

use std::{collections::BTreeMap, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use header_edit::{Direction, HeaderList};
use local_mesh::wait_until;
use traffic_lanes_tests::{
    module,
    trace_cases::{Exchange, Filter, Suite, Tier, Verdict},
    trace_listeners::{Behind, Sidecar},
    wasm_listeners::{string_value, wasm},
};

/// Counts reach Envoy's statistics once a second, and no entry here lives longer than that.
const LIMIT: Duration = Duration::from_secs(30);
const WORKERS: u32 = 2;

fn main() -> Result<ExitCode> {
    let mut suite = Suite::load()?;
    suite.cases.retain(|case| !case.faked_clock);
    let configs = suite.cases.iter().map(|case| &case.config);
    let verdicts = suite.refused.iter().chain(&suite.warned).map(|verdict| &verdict.config);
    let mut names = BTreeMap::new();
    for (index, config) in configs.chain(verdicts).enumerate() {
        names.entry(config.clone()).or_insert_with(|| format!("lanes-{index}"));
    }
    let module = module("trace_propagation.wasm")?;
    let filters = names.iter().map(|(config, name)| (name.as_str(), wasm(&module, name, &string_value(config))));
    let sidecar = Sidecar::start(WORKERS, Behind::Echo, filters)?;
    Ok(suite.run(RealEnvoy { sidecar: Arc::new(sidecar), names }))
}

struct RealEnvoy {
    sidecar: Arc<Sidecar>,
    /// The listeners' name, by configuration.
    names: BTreeMap<String, String>,
}

struct Listeners {
    sidecar: Arc<Sidecar>,
    name: String,
    /// Time has to pass by itself: what is expected may take a while.
    is_patient: bool,
}

impl RealEnvoy {
    fn name(&self, config: &str) -> Result<&str> {
        self.names.get(config).map(String::as_str).context("the configuration has no listeners")
    }

    fn gauge(&self, name: &str) -> Result<Option<u64>> {
        let gauge = format!("wasmcustom.plugin=.={name};.;trace_propagation_configuration_refused");
        self.sidecar.envoy.counter(&gauge)
    }
}

impl Tier for RealEnvoy {
    fn start(&self, config: &str) -> Result<Box<dyn Filter>> {
        let name = self.name(config)?;
        ensure!(self.gauge(name)? == Some(0), "the gauge says that the configuration was refused");
        Ok(Box::new(Listeners { sidecar: self.sidecar.clone(), name: name.to_owned(), is_patient: false }))
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let name = self.name(&verdict.config)?;
        let request = [(":authority", "a"), (":method", "GET"), (":path", "/"), ("x-user-id", "jessie"), ("t", "mine")];
        let request: HeaderList = request.into_iter().collect();
        for direction in [Some(Direction::Inbound), Some(Direction::Outbound), None] {
            let arrived = self.sidecar.arrived(name, direction, &request)?;
            for (name, value) in request.lines() {
                ensure!(arrived.all(name).eq([value]), "{name} was touched: {arrived:?}");
            }
        }
        ensure!(self.gauge(name)? == Some(1), "the gauge does not say that the configuration was refused");
        let line = format!("configuration refused: {}; there is no previous configuration", verdict.message);
        ensure!(self.sidecar.envoy.log().contains(&line), "the log does not say why the configuration was refused");
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let name = self.name(&verdict.config)?;
        ensure!(self.gauge(name)? == Some(0), "the gauge says that the configuration was refused");
        let line = format!("trace_propagation: {}", verdict.message);
        ensure!(self.sidecar.envoy.log().contains(&line), "the log does not warn");
        Ok(())
    }
}

impl Filter for Listeners {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let once = || {
            let arrived = self.sidecar.arrived(&self.name, exchange.direction, &exchange.request)?;
            exchange.check(&arrived)
        };
        if self.is_patient {
            wait_until("what is expected some time after", LIMIT, || Ok(once().is_ok().then_some(())))
                .or_else(|_| once())?;
        } else {
            once()?;
        }
        if let Some(counter) = &exchange.counter {
            // All cases share the counters: how much is counted is for the other tiers to say.
            let counter = format!("wasmcustom.{counter}");
            wait_until(&counter, LIMIT, || Ok(self.sidecar.envoy.counter(&counter)?.filter(|count| *count > 0)))?;
        }
        Ok(())
    }

    fn after(&mut self, _time: Duration) -> Result<()> {
        self.is_patient = true;
        Ok(())
    }
}
