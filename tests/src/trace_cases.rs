//! The shared cases of trace propagation: what each tier runs.

use std::{collections::BTreeMap, fs, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use bstr::ByteVec;
use header_edit::{Direction, HeaderList};
use libtest_mimic::{Arguments, Trial};
use serde::Deserialize;

use crate::testdata;

/// The labels of the pod, at every tier.
pub const POD_LABELS: [(&str, &str); 2] = [("ASM_TRAFFIC_TAG", "v2"), ("empty", "")];

/// A way to run the filter.
pub trait Tier: Send + Sync + 'static {
    /// Starts the filter with a configuration.
    ///
    /// # Errors
    /// It does not start, or it says that the configuration is bad.
    fn start(&self, config: &str) -> Result<Box<dyn Filter>>;

    /// Checks that the configuration is refused with the message, and that requests pass untouched.
    ///
    /// # Errors
    /// Says what happened instead.
    fn refused(&self, verdict: &Verdict) -> Result<()>;

    /// Checks that the configuration is accepted with the message.
    ///
    /// # Errors
    /// Says what happened instead.
    fn warned(&self, verdict: &Verdict) -> Result<()>;
}

/// The filter in a proxy that has several workers.
pub trait Filter {
    /// Sends a request and checks what becomes of it, and that it is counted.
    ///
    /// # Errors
    /// Says what became of it instead.
    fn exchange(&mut self, exchange: &Exchange) -> Result<()>;

    /// Lets time pass.
    ///
    /// # Errors
    /// Time is not for this tier to move.
    fn after(&mut self, time: Duration) -> Result<()>;
}

/// `tests/testdata/trace-propagation.toml`.
#[derive(Clone)]
pub struct Suite {
    /// What happens, in order.
    pub cases: Vec<Case>,
    /// Configurations that are refused, with the message.
    pub refused: Vec<Verdict>,
    /// Configurations that are accepted with a warning.
    pub warned: Vec<Verdict>,
}

/// What a configuration makes the filter say.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// A `pluginConfig`.
    pub config: String,
    /// What is said, word for word.
    pub message: String,
}

/// One pod, and what happens to it.
#[derive(Clone)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// The `pluginConfig`.
    pub config: String,
    /// The case needs a clock that can be moved.
    pub faked_clock: bool,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Exchange(Exchange),
    After(Duration),
}

/// A request, and what becomes of it.
#[derive(Clone)]
pub struct Exchange {
    /// Which way it goes.
    pub direction: Option<Direction>,
    /// The request, complete with `:method`, `:path` and `:authority`.
    pub request: HeaderList,
    /// The counter that counts it.
    pub counter: Option<String>,
    /// The lines that must arrive, by name.
    expected: BTreeMap<String, Vec<Vec<u8>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    config: BTreeMap<String, String>,
    case: Vec<CaseEntry>,
    refused: Vec<Verdict>,
    warned: Vec<Verdict>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    name: String,
    config: String,
    #[serde(default)]
    faked_clock: bool,
    steps: Vec<StepEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    after: Option<f64>,
    inbound: Option<Vec<String>>,
    outbound: Option<Vec<String>>,
    neither: Option<Vec<String>>,
    #[serde(default)]
    result: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    counter: Option<String>,
}

// === impl Suite ===

impl Suite {
    /// Reads the shared cases.
    ///
    /// # Errors
    /// Names what cannot be read.
    pub fn load() -> Result<Self> {
        let path = testdata("trace-propagation.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let file: File = toml::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))?;
        let case = |entry: CaseEntry| {
            let config = file.config.get(&entry.config).with_context(|| format!("no config `{}`", entry.config))?;
            let steps = entry.steps.into_iter().map(step).collect::<Result<_>>().with_context(|| entry.name.clone())?;
            Ok(Case { name: entry.name, config: config.clone(), faked_clock: entry.faked_clock, steps })
        };
        let cases = file.case.into_iter().map(case).collect::<Result<_>>()?;
        Ok(Self { cases, refused: file.refused, warned: file.warned })
    }

    /// Runs every test, each under a name of its own, as the command line asks.
    pub fn run<T: Tier>(self, tier: T) -> ExitCode {
        let tier = Arc::new(tier);
        let mut trials = Vec::new();
        for case in self.cases {
            let tier = tier.clone();
            trials.push(Trial::test(case.name.clone(), move || Ok(case.run(&mut *tier.start(&case.config)?)?)));
        }
        for (number, verdict) in self.refused.into_iter().enumerate() {
            let tier = tier.clone();
            let name = format!("refused {number}: {:.60}", verdict.message);
            trials.push(Trial::test(name, move || Ok(tier.refused(&verdict)?)));
        }
        for (number, verdict) in self.warned.into_iter().enumerate() {
            let tier = tier.clone();
            let name = format!("warned {number}: {:.60}", verdict.message);
            trials.push(Trial::test(name, move || Ok(tier.warned(&verdict)?)));
        }
        libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
    }
}

// === impl Case ===

impl Case {
    fn run(&self, filter: &mut dyn Filter) -> Result<()> {
        for (number, step) in self.steps.iter().enumerate() {
            let done = match step {
                Step::Exchange(exchange) => filter.exchange(exchange),
                Step::After(time) => filter.after(*time),
            };
            done.with_context(|| format!("step {}", number + 1))?;
        }
        Ok(())
    }
}

// === impl Exchange ===

impl Exchange {
    /// Compares what arrived with what was expected; names that the case does not know are not looked at.
    ///
    /// # Errors
    /// Says which lines of which name arrived instead.
    pub fn check(&self, arrived: &HeaderList) -> Result<()> {
        for (name, expected) in &self.expected {
            let lines: Vec<&[u8]> = arrived.all(name).collect();
            ensure!(lines == *expected, "{name}: expected {}, got {}", shown(expected), shown(&lines));
        }
        Ok(())
    }
}

fn step(entry: StepEntry) -> Result<Step> {
    let (direction, lines) = match (entry.after, entry.inbound, entry.outbound, entry.neither) {
        (Some(seconds), None, None, None) => return Ok(Step::After(Duration::try_from_secs_f64(seconds)?)),
        (None, Some(lines), None, None) => (Some(Direction::Inbound), lines),
        (None, None, Some(lines), None) => (Some(Direction::Outbound), lines),
        (None, None, None, Some(lines)) => (None, lines),
        _ => bail!("expected exactly one of `after`, `inbound`, `outbound` and `neither`"),
    };
    let mut request: HeaderList =
        [(":authority", "test.example"), (":method", "GET"), (":path", "/")].into_iter().collect();
    for line in lines {
        let (name, value) = header_line(&line)?;
        request.push(name, value);
    }
    let mut expected: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, value) in request.lines() {
        expected.entry(name.to_owned()).or_default().push(value.to_vec());
    }
    for name in entry.absent {
        expected.insert(name, Vec::new());
    }
    for line in entry.result {
        let (name, value) = header_line(&line)?;
        expected.insert(name, vec![value]);
    }
    Ok(Step::Exchange(Exchange { direction, request, counter: entry.counter, expected }))
}

/// `name: value`, where `\xNN` is a byte and `{N}` after the value repeats it.
fn header_line(line: &str) -> Result<(String, Vec<u8>)> {
    let (name, value) = line.split_once(": ").with_context(|| format!("no `: ` in `{line}`"))?;
    let repeated = value.strip_suffix('}').and_then(|value| value.rsplit_once('{'));
    let (value, times) = match repeated {
        Some((value, times)) => (value, times.parse()?),
        None => (value, 1),
    };
    Ok((name.to_owned(), Vec::unescape_bytes(value).repeat(times)))
}

fn shown(lines: &[impl AsRef<[u8]>]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("`{}`", line.as_ref().escape_ascii())).collect();
    if lines.is_empty() { "no line".to_owned() } else { lines.join(" and ") }
}
