//! A case as its file has it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use bstr::ByteVec;
use header_edit::{Directed, Direction, HeaderList};
use serde::Deserialize;
use toml::Table;

use super::{Case, Exchange, Step};

#[derive(Deserialize)]
pub(super) struct CaseEntry {
    pub(super) name: String,
    config: String,
    #[serde(default)]
    faked_clock: bool,
    steps: Option<Vec<StepEntry>>,
    /// The fields of the only step, unless there are `steps`.
    #[serde(flatten)]
    step: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    after: Option<f64>,
    inbound: Option<Vec<String>>,
    outbound: Option<Vec<String>>,
    request: Option<Vec<String>>,
    #[serde(default)]
    result: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    counter: Option<String>,
}

// === impl CaseEntry ===

impl CaseEntry {
    pub(super) fn case(&self, configs: &BTreeMap<String, String>) -> Result<Case> {
        let config = configs.get(&self.config).with_context(|| format!("no config `{}`", self.config))?;
        let steps = match &self.steps {
            Some(steps) => {
                ensure!(self.step.is_empty(), "not beside `steps`: {}", self.step);
                steps.iter().map(StepEntry::step).collect::<Result<_>>()?
            }
            None => vec![self.step.clone().try_into::<StepEntry>()?.step()?],
        };
        Ok(Case { name: self.name.clone(), config: config.clone(), faked_clock: self.faked_clock, steps })
    }
}

// === impl StepEntry ===

impl StepEntry {
    fn step(&self) -> Result<Step> {
        let (direction, lines) = match (self.after, &self.inbound, &self.outbound, &self.request) {
            (Some(seconds), None, None, None) => return Ok(Step::After(Duration::try_from_secs_f64(seconds)?)),
            (None, Some(lines), None, None) => (Some(Direction::Inbound), lines),
            (None, None, Some(lines), None) => (Some(Direction::Outbound), lines),
            (None, None, None, Some(lines)) => (None, lines),
            _ => bail!("expected exactly one of `after`, `inbound`, `outbound` and `request`"),
        };
        let mut headers = HeaderList::default();
        for (name, default) in [(":authority", "test.example"), (":method", "GET"), (":path", "/")] {
            if !lines.iter().any(|line| line.starts_with(name)) {
                headers.push(name, default);
            }
        }
        for line in lines {
            let (name, value) = header_line(line)?;
            headers.push(name, value);
        }
        let mut expected: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for (name, value) in headers.lines() {
            expected.entry(name.to_owned()).or_default().push(value.to_vec());
        }
        let results = self.result.iter().map(|line| header_line(line)).collect::<Result<Vec<_>>>()?;
        for name in results.iter().map(|(name, _)| name).chain(&self.absent) {
            expected.insert(name.clone(), Vec::new());
        }
        for (name, value) in results {
            expected.entry(name).or_default().push(value);
        }
        let request = Directed { headers, direction };
        Ok(Step::Exchange(Exchange { request, expected, counter: self.counter.clone() }))
    }
}

/// `name: value`, where the name may start with a colon, `\xNN` is a byte, and `{N}` after the value repeats it.
fn header_line(line: &str) -> Result<(String, Vec<u8>)> {
    let pseudo = usize::from(line.starts_with(':'));
    let colon = line.get(pseudo..).and_then(|rest| rest.find(':')).with_context(|| format!("no colon in `{line}`"))?;
    let (name, value) = line.split_at(pseudo + colon);
    let value = value.trim_start_matches(':').trim_start_matches(' ');
    let repeated = value.strip_suffix('}').and_then(|value| value.rsplit_once('{'));
    let repeated = repeated.and_then(|(value, times)| Some((value, times.parse().ok()?)));
    let (value, times) = repeated.unwrap_or((value, 1));
    Ok((name.to_ascii_lowercase(), Vec::unescape_bytes(value).repeat(times)))
}
