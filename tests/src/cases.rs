//! The shared cases: what each tier runs.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use bstr::ByteVec;
use header_edit::{Directed, Direction, HeaderList};
use serde::Deserialize;

/// The shared cases of a filter, such as `tests/testdata/hash-tagging.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    config: BTreeMap<String, String>,
    case: Vec<CaseEntry>,
    /// Configurations that are refused, with the message.
    pub refused: Vec<Verdict>,
    /// Configurations that are accepted with a warning.
    #[serde(default)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    name: String,
    config: String,
    direction: Option<DirectionEntry>,
    request: Vec<String>,
    #[serde(default)]
    result: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    counter: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DirectionEntry {
    Inbound,
    Outbound,
}

/// A request, and what becomes of it.
#[derive(Clone)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// The `pluginConfig`.
    pub config: String,
    /// The request, complete with `:method`, `:path` and `:authority`, and the way it goes.
    pub request: Directed<HeaderList>,
    /// The lines that must arrive upstream, by name. An empty list is a name of which nothing may arrive.
    pub expected: BTreeMap<String, Vec<Vec<u8>>>,
    /// The counter that counts the decision.
    pub counter: Option<String>,
}

// === impl Cases ===

impl Cases {
    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))
    }

    /// A configuration by its name in the file.
    pub fn config(&self, name: &str) -> Option<&str> {
        self.config.get(name).map(String::as_str)
    }

    /// The requests, complete with what must become of every line.
    pub fn requests(&self) -> Result<Vec<Case>> {
        self.case.iter().map(|entry| self.request(entry).with_context(|| entry.name.clone())).collect()
    }

    fn request(&self, entry: &CaseEntry) -> Result<Case> {
        let config = self.config.get(&entry.config).with_context(|| format!("no config `{}`", entry.config))?;
        let mut request = HeaderList::default();
        for (name, default) in [(":authority", "test.example"), (":method", "GET"), (":path", "/")] {
            if !entry.request.iter().any(|line| line.starts_with(name)) {
                request.push(name, default);
            }
        }
        for line in &entry.request {
            let (name, value) = header_line(line)?;
            request.push(name, value);
        }
        let mut expected: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for (name, value) in request.lines() {
            expected.entry(name.to_owned()).or_default().push(value.to_vec());
        }
        let results = entry.result.iter().map(|line| header_line(line)).collect::<Result<Vec<_>>>()?;
        for name in results.iter().map(|(name, _)| name).chain(&entry.absent) {
            expected.insert(name.clone(), Vec::new());
        }
        for (name, value) in results {
            expected.entry(name).or_default().push(value);
        }
        let direction = entry.direction.map(|direction| match direction {
            DirectionEntry::Inbound => Direction::Inbound,
            DirectionEntry::Outbound => Direction::Outbound,
        });
        let request = Directed { headers: request, direction };
        let counter = entry.counter.clone();
        Ok(Case { name: entry.name.clone(), config: config.clone(), request, expected, counter })
    }
}

// === impl Case ===

impl Case {
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

/// `name: value`, where the name may start with a colon and `\xNN` is a byte.
fn header_line(line: &str) -> Result<(String, Vec<u8>)> {
    let pseudo = usize::from(line.starts_with(':'));
    let colon = line.get(pseudo..).and_then(|rest| rest.find(':')).ok_or_else(|| anyhow!("no colon in `{line}`"))?;
    let (name, value) = line.split_at(pseudo + colon);
    Ok((name.to_ascii_lowercase(), Vec::unescape_bytes(value.trim_start_matches(':').trim_start_matches(' '))))
}

fn shown(lines: &[impl AsRef<[u8]>]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("`{}`", line.as_ref().escape_ascii())).collect();
    if lines.is_empty() { "no line".to_owned() } else { lines.join(" and ") }
}
