//! The shared cases: what each tier runs.

mod entry;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use header_edit::{Directed, HeaderList};
use serde::Deserialize;

use self::entry::CaseEntry;

/// The shared cases of a filter, such as `tests/testdata/hash-tagging.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    config: BTreeMap<String, String>,
    case: Vec<CaseEntry>,
    /// Configurations that are refused, with the message.
    pub refused: Vec<Expectation>,
    /// Configurations that are accepted with a warning.
    #[serde(default)]
    pub warned: Vec<Expectation>,
}

/// What a configuration makes the filter say.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// A `pluginConfig`.
    pub config: String,
    /// What is said, word for word.
    pub message: String,
}

/// What happens to a filter that serves, in order.
#[derive(Clone)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// The `pluginConfig`.
    pub config: String,
    /// The case needs a clock that can be moved.
    pub faked_clock: bool,
    /// One request, for a filter that keeps nothing from one to the next.
    pub steps: Vec<Step>,
}

/// A part of a [`Case`].
#[derive(Clone)]
pub enum Step {
    /// A request comes.
    Exchange(Exchange),
    /// Time passes.
    After(Duration),
}

/// A request, and what becomes of it.
#[derive(Clone)]
pub struct Exchange {
    /// The request, complete with `:method`, `:path` and `:authority`, and the way it goes.
    pub request: Directed<HeaderList>,
    /// The lines that must arrive upstream, by name. An empty list is a name of which nothing may arrive.
    pub expected: BTreeMap<String, Vec<Vec<u8>>>,
    /// The counter that counts it.
    pub counter: Option<String>,
}

// === impl Cases ===

impl Cases {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Names what cannot be read.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))
    }

    /// A configuration by its name in the file.
    pub fn config(&self, name: &str) -> Option<&str> {
        self.config.get(name).map(String::as_str)
    }

    /// The cases, complete with what must become of every line.
    ///
    /// # Errors
    /// Names the case that makes no sense.
    pub fn cases(&self) -> Result<Vec<Case>> {
        self.case.iter().map(|entry| entry.case(&self.config).with_context(|| entry.name.clone())).collect()
    }
}

// === impl Case ===

impl Case {
    /// The requests of all steps.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange(exchange) => Some(exchange),
            Step::After(_) => None,
        })
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
            if lines != *expected {
                bail!("{name}: expected {}, got {}", shown(expected), shown(&lines));
            }
        }
        Ok(())
    }
}

fn shown(lines: &[impl AsRef<[u8]>]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("`{}`", line.as_ref().escape_ascii())).collect();
    if lines.is_empty() { "no line".to_owned() } else { lines.join(" and ") }
}
