//! Tier 1: the shared cases through the pure crates.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use baggage_propagation::Propagator;
use hash_tagging::Tagger;
use header_edit::{Directed, HeaderList};
use traffic_lanes_tests::{
    cases::{Case, Verdict},
    filter::Filter,
    tier::{self, Tier},
};

fn main() -> Result<ExitCode> {
    tier::run(|filter, _| Ok(Native(filter)))
}

/// The pure crate of a filter.
struct Native(Filter);

/// A configuration of a filter.
enum Pure {
    HashTagging(Tagger),
    BaggagePropagation(Propagator),
}

impl Pure {
    /// The error is what is said about the configuration.
    fn parse(filter: Filter, configuration: &str) -> Result<Self, String> {
        let json = configuration.as_bytes();
        let parsed = match filter {
            Filter::HashTagging => Tagger::parse(json).map(Self::HashTagging),
            Filter::BaggagePropagation => Propagator::parse(json).map(Self::BaggagePropagation),
        };
        parsed.map_err(|refused| refused.to_string())
    }

    fn warnings(&self) -> Vec<String> {
        match self {
            Self::HashTagging(tagger) => tagger.warnings().iter().map(ToString::to_string).collect(),
            Self::BaggagePropagation(_) => Vec::new(),
        }
    }

    /// What arrives, and the names of what was counted.
    fn request(&self, request: &Directed<HeaderList>) -> (HeaderList, Vec<&String>) {
        let mut arrived = request.headers.clone();
        let (edits, names, counters): (_, _, Vec<usize>) = match self {
            Self::HashTagging(tagger) => {
                let verdict = tagger.on_request(request);
                (verdict.edits, tagger.counters(), verdict.decisions.iter().map(|d| d.counter).collect())
            }
            Self::BaggagePropagation(propagator) => {
                let verdict = propagator.on_request(request);
                (verdict.edits, propagator.counters(), verdict.events.iter().map(|event| event.counter()).collect())
            }
        };
        arrived.apply(edits);
        (arrived, counters.into_iter().filter_map(|counter| names.get(counter)).collect())
    }
}

impl Tier for Native {
    fn request(&self, case: &Case) -> Result<()> {
        let filter = Pure::parse(self.0, &case.config).map_err(anyhow::Error::msg)?;
        let (arrived, counted) = filter.request(&case.request);
        if let Some(counter) = &case.counter {
            ensure!(counted.contains(&counter), "expected {counter} to be counted, not {counted:?}");
        }
        case.check(&arrived)
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let said = Pure::parse(self.0, &verdict.config).err();
        ensure!(said.as_ref() == Some(&verdict.message), "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let said = Pure::parse(self.0, &verdict.config).map_err(anyhow::Error::msg)?.warnings();
        ensure!(said == [verdict.message.as_str()], "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }
}
