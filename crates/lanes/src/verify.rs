//! Whether a running mesh keeps its lanes: what to ask it, what must come back, and what it means if something else does.
//!
//! What is expected is what [`explain`](crate::explain) says. Nothing here sends anything: a [`Plan`] has the requests, and a
//! [`Judge`] takes their answers, in any order.

mod access_log;
mod answer;
mod check;
mod diagnosis;
mod fault;
mod ids;
mod judge;
mod plan;
mod report;
mod statistics;
mod users;
mod versions;

pub use access_log::AccessLog;
pub use answer::{Answer, Hop, Source};
pub use check::{Check, Section};
pub use fault::{Culprit, Fault};
pub use ids::{RequestIds, request_id};
pub use judge::Judge;
pub use plan::{Asked, Expected, Plan, Probe};
pub use report::{Finding, Latency, Outcome, Report, Share, Status};
pub use versions::Versions;

/// How probable it is, at most, that a run finds something at a mesh where nothing is wrong: all that is left to chance together.
pub const ERROR_OF_A_RUN: f64 = 0.001;
