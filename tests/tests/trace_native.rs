//! Tier 1: the shared cases of trace propagation through the pure crate.

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use header_edit::Directed;
use trace_propagation::{MemoryStore, Propagator, Refused, Store};
use traffic_lanes_tests::trace_cases::{Exchange, Filter, POD_LABELS, Suite, Tier, Verdict};

fn main() -> Result<ExitCode> {
    Ok(Suite::load()?.run(Native))
}

struct Native;

struct InMemory {
    propagator: Propagator,
    store: MemoryStore,
}

fn parse(config: &str) -> Result<Propagator, Refused> {
    let label = |name: &str| Some(POD_LABELS.iter().find(|(known, _)| *known == name)?.1.into());
    Propagator::parse(config.as_bytes(), label)
}

impl Tier for Native {
    fn start(&self, config: &str) -> Result<Box<dyn Filter>> {
        let store = MemoryStore::default();
        store.set_time(Duration::from_secs(1_800_000_000));
        Ok(Box::new(InMemory { propagator: parse(config)?, store }))
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let said = parse(&verdict.config).err().map(|error| error.to_string());
        ensure!(said.as_ref() == Some(&verdict.message), "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let propagator = parse(&verdict.config)?;
        let said: Vec<String> = propagator.warnings().iter().map(ToString::to_string).collect();
        ensure!(said == [verdict.message.as_str()], "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }
}

impl Filter for InMemory {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let request = Directed { headers: exchange.request.clone(), direction: exchange.direction };
        let verdict = self.propagator.on_request(&request, &self.store);
        let counted: Vec<String> = verdict.counters.iter().map(|counter| counter.name()).collect();
        if let Some(counter) = &exchange.counter {
            ensure!(counted.contains(counter), "expected {counter} to be counted, not {counted:?}");
        }
        let mut arrived = exchange.request.clone();
        arrived.apply(verdict.edits);
        exchange.check(&arrived)
    }

    fn after(&mut self, time: Duration) -> Result<()> {
        self.store.set_time(Duration::from_nanos(self.store.now()) + time);
        Ok(())
    }
}
