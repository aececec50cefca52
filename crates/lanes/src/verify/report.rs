//! What a run has found.

use std::time::Duration;

use serde::Serialize;

use super::{
    check::{Check, Section},
    fault::Fault,
};

/// What a run has found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How many requests were sent.
    pub requests: u64,
    /// Every check, in its order.
    pub checks: Vec<Outcome>,
    /// The shares of the lanes.
    pub shares: Vec<Share>,
    /// How long answers took, by lane; those of requests that were right.
    pub latency: Vec<Latency>,
}

/// What became of a check.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// What it is about.
    pub section: Section,
    /// Its name.
    pub check: Check,
    /// How it went.
    pub status: Status,
    /// What it was judged by, or why it was not.
    pub detail: String,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, strum::Display)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// There was nothing to judge by.
    Unchecked,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is, for programs.
    pub fault: Fault,
    /// What it is, for people.
    pub what: String,
    /// The likely cause.
    pub cause: String,
    /// Who asked; of several, the first.
    pub who: String,
    /// How many others it happened to.
    pub others: usize,
    /// How many of their requests it happened to.
    pub requests: u64,
    /// How many requests they sent.
    pub of: u64,
    /// The lanes that answered, in the order of the chain.
    pub answered: String,
    /// Where the documentation says more.
    pub documentation: String,
}

/// A lane's share.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The lane.
    pub lane: String,
    /// How many were in it.
    pub count: u64,
    /// Of so many.
    pub of: u64,
    /// Of a hundred.
    pub percent: f64,
    /// The interval that the true share is in, unless the run is one of those that are wrong by chance.
    pub interval: (f64, f64),
    /// What it should be, of a hundred.
    pub expected: f64,
}

/// How long a lane's answers took.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// The lane.
    pub lane: String,
    /// How many answers.
    pub answers: usize,
    /// The median, in milliseconds.
    pub p50: f64,
    /// What nine of ten keep to, in milliseconds.
    pub p90: f64,
    /// What 99 of a hundred keep to, in milliseconds.
    pub p99: f64,
}

impl Report {
    /// Whether anything was found.
    pub fn has_failed(&self) -> bool {
        self.checks.iter().any(|outcome| outcome.status == Status::Failed)
    }
}

impl Latency {
    pub(super) fn of(lane: &str, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let quantile = |part: f64| {
            let index = ((times.len() as f64 * part).ceil() as usize).saturating_sub(1);
            let time = times.get(index).map_or(0.0, Duration::as_secs_f64);
            (time * 1e6).round() / 1e3
        };
        let (p50, p90, p99) = (quantile(0.5), quantile(0.9), quantile(0.99));
        Self { lane: lane.to_owned(), answers: times.len(), p50, p90, p99 }
    }
}
