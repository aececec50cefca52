//! Tier 3: through the release modules in a real Envoy.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use header_edit::Direction;
use local_mesh::wait_until;

use super::{DIRECTIONS, Running, Suite, Tier, any_request};
use crate::{
    cases::{Exchange, Expectation},
    filter::Filter,
    wasm_listeners::{Setup, WasmListeners},
};

/// Counts reach Envoy's statistics once a second, and nothing here is remembered for longer than that.
const LIMIT: Duration = Duration::from_secs(30);

/// One Envoy for all cases of a filter.
pub struct RealEnvoy {
    filter: Filter,
    envoy: WasmListeners,
    /// The listener's name, by direction and configuration.
    listeners: BTreeMap<(u8, String), String>,
}

/// The listeners of one configuration.
struct Listeners<'a> {
    envoy: &'a RealEnvoy,
    configuration: String,
    /// Time has to pass by itself: what is expected may take a while.
    is_patient: bool,
}

impl RealEnvoy {
    fn listener(&self, direction: Option<Direction>, configuration: &str) -> Result<&str> {
        let listener = self.listeners.get(&(number(direction), configuration.to_owned()));
        listener.map(String::as_str).context("the configuration has no listener")
    }

    fn gauge(&self, listener: &str) -> Result<Option<u64>> {
        self.envoy.envoy.counter(&format!("wasmcustom.{}", self.filter.refused_gauge(listener)))
    }
}

impl Tier for RealEnvoy {
    const MOVES_CLOCK: bool = false;

    fn ready(suite: &Suite) -> Result<Self> {
        let cases = suite.cases.iter();
        let requests =
            cases.flat_map(|case| case.exchanges().map(|exchange| (exchange.request.direction, &case.config)));
        let verdicts = suite.refused.iter().chain(&suite.warned);
        let verdicts = verdicts.flat_map(|verdict| DIRECTIONS.map(|direction| (direction, &verdict.config)));
        let mut setups = Vec::new();
        let mut listeners = BTreeMap::new();
        for (direction, configuration) in requests.chain(verdicts) {
            listeners.entry((number(direction), configuration.clone())).or_insert_with(|| {
                let name = format!("listener-{}", setups.len());
                setups.push(Setup { name: name.clone(), configuration, direction });
                name
            });
        }
        let envoy = WasmListeners::start(&suite.filter.module()?, setups)?;
        Ok(Self { filter: suite.filter, envoy, listeners })
    }

    fn start(&self, config: &str) -> Result<Box<dyn Running + '_>> {
        Ok(Box::new(Listeners { envoy: self, configuration: config.to_owned(), is_patient: false }))
    }

    fn refused(&self, verdict: &Expectation) -> Result<()> {
        let request = any_request();
        for direction in DIRECTIONS {
            let listener = self.listener(direction, &verdict.config)?;
            let arrived = self.envoy.arrived(listener, &request)?;
            for (name, value) in request.lines() {
                ensure!(arrived.all(name).eq([value]), "{name} was touched: {arrived:?}");
            }
            ensure!(self.gauge(listener)? == Some(1), "the gauge does not say that the configuration was refused");
        }
        let line = format!("configuration refused: {}; there is no previous configuration", verdict.message);
        ensure!(self.envoy.envoy.log().contains(&line), "the log does not say why the configuration was refused");
        Ok(())
    }

    fn warned(&self, verdict: &Expectation) -> Result<()> {
        let listener = self.listener(None, &verdict.config)?;
        ensure!(self.gauge(listener)? == Some(0), "the gauge says that the configuration was refused");
        let line = format!("{}: {}", self.filter.module_name(), verdict.message);
        ensure!(self.envoy.envoy.log().contains(&line), "the log does not warn");
        Ok(())
    }
}

impl Running for Listeners<'_> {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let RealEnvoy { envoy, .. } = self.envoy;
        let listener = self.envoy.listener(exchange.request.direction, &self.configuration)?;
        let once = || exchange.check(&envoy.arrived(listener, &exchange.request.headers)?);
        if self.is_patient {
            let what = "what is expected some time after";
            wait_until(what, LIMIT, || Ok(once().is_ok().then_some(()))).or_else(|_| once())?;
        } else {
            once()?;
        }
        if let Some(counter) = &exchange.counter {
            // Listeners share the counters of rules of one name, so that any other case may have counted as well: how
            // much is counted is for the module's tier to say.
            let counter = format!("wasmcustom.{counter}");
            wait_until(&counter, LIMIT, || Ok(envoy.envoy.counter(&counter)?.filter(|count| *count > 0)))?;
        }
        ensure!(self.envoy.gauge(listener)? == Some(0), "the gauge says that the configuration was refused");
        Ok(())
    }

    fn after(&mut self, _: Duration) {
        self.is_patient = true;
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
