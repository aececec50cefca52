use std::{fmt, str::FromStr};

use anyhow::{Context, Result};

/// How a pod is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Condition {
    /// It was never started.
    Absent,
    /// It answers.
    Healthy,
    /// Its application takes long to answer.
    Slow,
    /// Its application answers every request with a failure, and says that it is healthy.
    Broken,
    /// Its application answers every request with 503, and says that it is healthy.
    Unavailable,
    /// Its application is gone, and its Envoy is there.
    Refusing,
    /// Its processes are there, and do nothing.
    Hanging,
    /// Its processes are gone.
    Killed,
}

const NAMES: [(Condition, &str); 8] = [
    (Condition::Absent, "absent"),
    (Condition::Healthy, "healthy"),
    (Condition::Slow, "slow"),
    (Condition::Broken, "broken"),
    (Condition::Unavailable, "unavailable"),
    (Condition::Refusing, "refusing"),
    (Condition::Hanging, "hanging"),
    (Condition::Killed, "killed"),
];

impl Condition {
    /// Whether a health check takes the pod for one that answers.
    pub(crate) fn is_up(self) -> bool {
        matches!(self, Self::Healthy | Self::Slow | Self::Broken | Self::Unavailable)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(condition, _)| condition == self);
        f.pad(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Condition {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = NAMES.iter().find(|(_, name)| *name == text);
        let (condition, _) = named.with_context(|| format!("no pod can be {text:?}"))?;
        Ok(*condition)
    }
}
