//! Tier 1: the shared cases through the pure crate.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use hash_tagging::Tagger;
use traffic_lanes_tests::{
    cases::{Case, Verdict},
    tier::{Suite, Tier},
};

fn main() -> Result<ExitCode> {
    Ok(Suite::load()?.run(Native))
}

struct Native;

impl Tier for Native {
    fn request(&self, case: &Case) -> Result<()> {
        let tagger = Tagger::parse(case.config.as_bytes())?;
        let verdict = tagger.on_request(&case.request);
        let counted: Vec<&String> = verdict.decisions.iter().filter_map(|d| tagger.counters().get(d.counter)).collect();
        if let Some(counter) = &case.counter {
            ensure!(counted.contains(&counter), "expected {counter} to be counted, not {counted:?}");
        }
        let mut arrived = case.request.clone();
        arrived.apply(verdict.edits);
        case.check(&arrived)
    }

    fn refused(&self, verdict: &Verdict) -> Result<()> {
        let said = Tagger::parse(verdict.config.as_bytes()).err().map(|error| error.to_string());
        ensure!(said.as_ref() == Some(&verdict.message), "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }

    fn warned(&self, verdict: &Verdict) -> Result<()> {
        let tagger = Tagger::parse(verdict.config.as_bytes())?;
        let said: Vec<String> = tagger.warnings().iter().map(ToString::to_string).collect();
        ensure!(said == [verdict.message.as_str()], "expected `{}`, got {said:?}", verdict.message);
        Ok(())
    }
}
