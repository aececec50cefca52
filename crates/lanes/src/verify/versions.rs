//! Which lane a version is of.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::document::{Lane, Spec};

/// What pods say of themselves, and which lane says so of its pods.
#[derive(Clone, Debug)]
pub struct Versions {
    lanes: BTreeMap<String, String>,
}

/// The lanes' labels do not say which version is whose.
#[derive(Debug, Error)]
pub enum Unclear {
    /// A lane lacks the label that was named.
    #[error("lane {lane} has no label `{label}`: --version-label takes one that every lane has, such as {example}")]
    NoSuchLabel {
        /// The lane.
        lane: String,
        /// The label that was named.
        label: String,
        /// A label that it has.
        example: String,
    },
    /// Nothing of a lane is its alone.
    #[error(
        "lanes {lane} and {other} have the same labels but one: name the label that is the version (--version-label)"
    )]
    Ambiguous {
        /// The lane.
        lane: String,
        /// One that has the same.
        other: String,
    },
}

impl Versions {
    /// The versions of a group's lanes: what `label` says of them, else their names and whatever no two of their labels have
    /// in common.
    ///
    /// # Errors
    /// A lane lacks the label, or nothing tells two lanes apart.
    pub fn of(spec: &Spec, label: Option<&str>) -> Result<Self, Unclear> {
        let mut owners: BTreeMap<&str, Vec<&Lane>> = BTreeMap::new();
        for lane in &spec.lanes {
            let mut names: Vec<&str> = match label {
                Some(label) => vec![version(lane, label)?],
                None => lane.labels.values().chain([&lane.name]).map(String::as_str).collect(),
            };
            names.sort_unstable();
            names.dedup();
            names.into_iter().for_each(|name| owners.entry(name).or_default().push(lane));
        }
        let is_told = |lane: &&Lane| owners.values().any(|of| of.len() == 1 && of.contains(lane));
        if let Some(lane) = spec.lanes.iter().find(|lane| !is_told(lane)) {
            let others = owners.values().filter(|of| of.contains(&lane)).flatten();
            let other = others.copied().find(|other| *other != lane).unwrap_or(lane);
            return Err(Unclear::Ambiguous { lane: lane.name.clone(), other: other.name.clone() });
        }
        let only = |(name, of): (&str, Vec<&Lane>)| match of.as_slice() {
            [lane] => Some((name.to_owned(), lane.name.clone())),
            _ => None,
        };
        Ok(Self { lanes: owners.into_iter().filter_map(only).collect() })
    }

    /// The lane that a version is of.
    pub fn lane(&self, version: &str) -> Option<&str> {
        self.lanes.get(version).map(String::as_str)
    }
}

fn version<'a>(lane: &'a Lane, label: &str) -> Result<&'a str, Unclear> {
    lane.labels.get(label).map(String::as_str).ok_or_else(|| Unclear::NoSuchLabel {
        lane: lane.name.clone(),
        label: label.to_owned(),
        example: lane.labels.keys().next().cloned().unwrap_or_default(),
    })
}
