//! Tier 1: through the pure crates.

use std::time::Duration;

use anyhow::{Result, ensure};
use baggage_propagation::Propagator as BaggagePropagator;
use hash_tagging::{Problem, Refused, Tagger};
use header_edit::Edit;
use trace_propagation::{MemoryStore, Propagator as TracePropagator, Store};

use super::{Running, Suite, Tier};
use crate::{
    cases::{Exchange, Expectation},
    filter::Filter,
    wasm_listeners::POD_LABELS,
};

/// The pure crate of a filter.
pub struct Native(Filter);

/// A configuration of a filter.
enum Pure {
    HashTagging(Box<Tagger>),
    BaggagePropagation(BaggagePropagator),
    TracePropagation(TracePropagator, MemoryStore),
}

impl Native {
    fn parse(&self, configuration: &str) -> Result<Pure, Refused> {
        let json = configuration.as_bytes();
        match self.0 {
            Filter::HashTagging => Tagger::parse(json).map(|tagger| Pure::HashTagging(Box::new(tagger))),
            Filter::BaggagePropagation => BaggagePropagator::parse(json).map(Pure::BaggagePropagation),
            Filter::TracePropagation => {
                let label = |name: &str| Some(POD_LABELS.iter().find(|(known, _)| *known == name)?.1.into());
                let store = MemoryStore::default();
                store.set_time(Duration::from_secs(1_800_000_000));
                TracePropagator::parse(json, label).map(|propagator| Pure::TracePropagation(propagator, store))
            }
        }
    }
}

impl Tier for Native {
    const MOVES_CLOCK: bool = true;

    fn ready(suite: &Suite) -> Result<Self> {
        Ok(Self(suite.filter))
    }

    fn start(&self, config: &str) -> Result<Box<dyn Running + '_>> {
        Ok(Box::new(self.parse(config)?))
    }

    fn refused(&self, verdict: &Expectation) -> Result<()> {
        let said = self.parse(&verdict.config).err().map(|refused| refused.to_string());
        ensure!(said.as_ref() == Some(&verdict.message), "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }

    fn warned(&self, verdict: &Expectation) -> Result<()> {
        let filter = self.parse(&verdict.config)?;
        let said: Vec<String> = filter.warnings().iter().map(ToString::to_string).collect();
        ensure!(said == [verdict.message.as_str()], "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }
}

impl Pure {
    fn warnings(&self) -> &[Problem] {
        match self {
            Self::HashTagging(tagger) => tagger.warnings(),
            Self::BaggagePropagation(_) => &[],
            Self::TracePropagation(propagator, _) => propagator.warnings(),
        }
    }

    /// What changes, and the indices and names of what is counted.
    fn request(&self, exchange: &Exchange) -> (Vec<Edit<'_>>, Vec<usize>, &[String]) {
        let request = &exchange.request;
        match self {
            Self::HashTagging(tagger) => {
                let verdict = tagger.on_request(request);
                let counted = verdict.decisions.iter().map(|decision| decision.counter).collect();
                (verdict.edits, counted, tagger.counters())
            }
            Self::BaggagePropagation(propagator) => {
                let verdict = propagator.on_request(request);
                let counted = verdict.events.iter().map(|event| event.counter()).collect();
                (verdict.edits, counted, propagator.counters())
            }
            Self::TracePropagation(propagator, store) => {
                let verdict = propagator.on_request(request, store);
                let counted = verdict.counters.iter().map(|counter| counter.index()).collect();
                (verdict.edits, counted, propagator.counters())
            }
        }
    }
}

impl Running for Pure {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let (edits, counted, names) = self.request(exchange);
        let counted: Vec<&String> = counted.into_iter().filter_map(|counter| names.get(counter)).collect();
        if let Some(counter) = &exchange.counter {
            ensure!(counted.contains(&counter), "expected {counter} to be counted, not {counted:?}");
        }
        let mut arrived = exchange.request.headers.clone();
        arrived.apply(edits);
        exchange.check(&arrived)
    }

    fn after(&mut self, time: Duration) {
        if let Self::TracePropagation(_, store) = self {
            store.set_time(Duration::from_nanos(store.now()) + time);
        }
    }
}
