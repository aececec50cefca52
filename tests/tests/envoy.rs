//! Tier 3: the shared cases through the release module in a real Envoy.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};
use header_edit::HeaderList;
use local_mesh::wait_until;
use traffic_lanes_tests::{
    cases::{Case, Verdict},
    module,
    tier::{Suite, Tier},
    wasm_listeners::WasmListeners,
};

/// Counts reach Envoy's statistics once a second.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

fn main() -> Result<ExitCode> {
    let suite = Suite::load()?;
    let requests = suite.requests.iter().map(|case| &case.config);
    let verdicts = suite.refused.iter().chain(&suite.warned).map(|verdict| &verdict.config);
    let mut listeners = BTreeMap::new();
    for (index, configuration) in requests.chain(verdicts).enumerate() {
        listeners.entry(configuration.clone()).or_insert_with(|| format!("listener-{index}"));
    }
    let configurations = listeners.iter().map(|(configuration, name)| (name.clone(), configuration.as_str()));
    let envoy = WasmListeners::start(&module("hash_tagging.wasm")?, configurations)?;
    Ok(suite.run(RealEnvoy { envoy, listeners }))
}

struct RealEnvoy {
    envoy: WasmListeners,
    /// The listener's name, by configuration.
    listeners: BTreeMap<String, String>,
}

impl RealEnvoy {
    fn listener(&self, configuration: &str) -> Result<&str> {
        self.listeners.get(configuration).map(String::as_str).context("the configuration has no listener")
    }

    fn gauge(&self, listener: &str) -> Result<Option<u64>> {
        let gauge = format!("wasmcustom.plugin=.={listener};.;hash_tagging_configuration_refused");
        self.envoy.envoy.counter(&gauge)
    }
}

impl Tier for RealEnvoy {
    fn request(&self, case: &Case) -> Result<()> {
        let listener = self.listener(&case.config)?;
        let arrived = self.envoy.arrived(listener, &case.request)?;
        if let Some(counter) = &case.counter {
            // Listeners share the counters of rules of one name, so that any other case may have counted as well: how
            // much is counted is for the module's tier to say.
            let counter = format!("wasmcustom.{counter}");
            wait_until(&counter, COUNTED_WITHIN, || {
                Ok(self.envoy.envoy.counter(&counter)?.filter(|count| *count > 0))
            })?;
        }
        ensure!(self.gauge(listener)? == Some(0), "the gauge says that the configuration was refused");
        case.check(&arrived)
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let listener = self.listener(&verdict.config)?;
        let request = [(":authority", "a"), (":method", "GET"), (":path", "/"), ("x", "user"), ("t", "mine")];
        let request: HeaderList = request.into_iter().collect();
        let arrived = self.envoy.arrived(listener, &request)?;
        for (name, value) in request.lines() {
            ensure!(arrived.all(name).eq([value]), "{name} was touched: {arrived:?}");
        }
        ensure!(self.gauge(listener)? == Some(1), "the gauge does not say that the configuration was refused");
        let line = format!("configuration refused: {}; there is no previous configuration", verdict.message);
        ensure!(self.envoy.envoy.log().contains(&line), "the log does not say why the configuration was refused");
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let listener = self.listener(&verdict.config)?;
        ensure!(self.gauge(listener)? == Some(0), "the gauge says that the configuration was refused");
        let line = format!("hash_tagging: {}", verdict.message);
        ensure!(self.envoy.envoy.log().contains(&line), "the log does not warn");
        Ok(())
    }
}
