//! Tier 3: the shared cases through the release modules in a real Envoy.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};
use header_edit::Direction;
use local_mesh::wait_until;
use traffic_lanes_tests::{
    cases::{Case, Verdict},
    filter::Filter,
    tier::{self, Suite, Tier},
    wasm_listeners::{Setup, WasmListeners},
};

/// Counts reach Envoy's statistics once a second.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

fn main() -> Result<ExitCode> {
    tier::run(RealEnvoy::start)
}

struct RealEnvoy {
    filter: Filter,
    envoy: WasmListeners,
    /// The listener's name, by direction and configuration.
    listeners: BTreeMap<(u8, String), String>,
}

impl RealEnvoy {
    /// One Envoy for all cases of the filter.
    fn start(filter: Filter, suite: &Suite) -> Result<Self> {
        let requests = suite.requests.iter().map(|case| (case.request.direction, &case.config));
        let verdicts = suite.refused.iter().chain(&suite.warned).map(|verdict| (None, &verdict.config));
        let mut setups = Vec::new();
        let mut listeners = BTreeMap::new();
        for (direction, configuration) in requests.chain(verdicts) {
            listeners.entry((number(direction), configuration.clone())).or_insert_with(|| {
                let name = format!("listener-{}", setups.len());
                setups.push(Setup { name: name.clone(), configuration, direction });
                name
            });
        }
        let envoy = WasmListeners::start(&filter.module()?, setups)?;
        Ok(Self { filter, envoy, listeners })
    }

    fn listener(&self, direction: Option<Direction>, configuration: &str) -> Result<&str> {
        let listener = self.listeners.get(&(number(direction), configuration.to_owned()));
        listener.map(String::as_str).context("the configuration has no listener")
    }

    fn gauge(&self, listener: &str) -> Result<Option<u64>> {
        self.envoy.envoy.counter(&format!("wasmcustom.{}", self.filter.refused_gauge(listener)))
    }
}

impl Tier for RealEnvoy {
    fn request(&self, case: &Case) -> Result<()> {
        let listener = self.listener(case.request.direction, &case.config)?;
        let arrived = self.envoy.arrived(listener, &case.request.headers)?;
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
        let listener = self.listener(None, &verdict.config)?;
        let request = tier::any_request();
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
        let listener = self.listener(None, &verdict.config)?;
        ensure!(self.gauge(listener)? == Some(0), "the gauge says that the configuration was refused");
        let line = format!("{}: {}", self.filter.module_name(), verdict.message);
        ensure!(self.envoy.envoy.log().contains(&line), "the log does not warn");
        Ok(())
    }
}

/// For ordering, which a direction has not.
fn number(direction: Option<Direction>) -> u8 {
    match direction {
        None => 0,
        Some(Direction::Inbound) => 1,
        Some(Direction::Outbound) => 2,
    }
}
