//! The goals that the project has set itself, and whether these figures reach them.

use serde::{Deserialize, Serialize};

use crate::{report::number, statistics::Estimate, verdict::Verdict};

/// What is asked for, in the order of the report. The names are also those in `figures.json`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Id {
    HashTaggingToFloor,
    HashTaggingToLua,
    HundredRules,
    Baggage,
    Trace,
    Chain,
    HashTaggingSize,
    BaggageSize,
    TraceSize,
    Memory,
    Flat,
}

/// A goal and how far it was reached.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Goal {
    pub(crate) id: Id,
    pub(crate) what: String,
    pub(crate) limit: f64,
    unit: String,
    pub(crate) measured: Option<Estimate>,
    pub(crate) verdict: Verdict,
}

const KIBIBYTE: f64 = 1024.0;
/// What an Envoy's memory may go up and down by itself: its allocator gives pages back when it likes.
const FLUCTUATION_MIB: f64 = 1.0;

impl Goal {
    pub(crate) fn new(id: Id, measured: Option<Estimate>) -> Self {
        let (what, limit, unit) = match id {
            Id::HashTaggingToFloor => ("hash tagging, one rule, added CPU", 1.15, "× floor"),
            Id::HashTaggingToLua => ("hash tagging, one rule, added CPU", 1.0, "× Lua"),
            Id::HundredRules => ("100 rules on one identity, added CPU", 1.25, "× one rule"),
            Id::Baggage => ("baggage, three members, added CPU", 1.5, "× floor"),
            Id::Trace => ("trace propagation, inbound and outbound together, added CPU", 2.5, "× floor"),
            Id::Chain => ("chain of three services with all filters, p99 at half load", 1.1, "× without filters"),
            // Its configuration is three times that of the others.
            Id::HashTaggingSize => ("size of hash tagging", 96.0 * KIBIBYTE, "bytes"),
            Id::BaggageSize => ("size of baggage propagation", 64.0 * KIBIBYTE, "bytes"),
            Id::TraceSize => ("size of trace propagation", 64.0 * KIBIBYTE, "bytes"),
            Id::Memory => ("memory per worker and module", 2.0, "MiB"),
            Id::Flat => ("memory after ten times the requests, added", FLUCTUATION_MIB, "MiB"),
        };
        let verdict = Verdict::at_most(limit, measured.as_ref());
        Self { id, what: what.to_owned(), limit, unit: unit.to_owned(), measured, verdict }
    }

    pub(crate) fn limit_text(&self) -> String {
        format!("at most {} {}", number(self.limit), self.unit)
    }

    pub(crate) fn unit(&self) -> &str {
        &self.unit
    }

    pub(crate) fn measured_text(&self) -> String {
        self.measured.as_ref().map_or("no figure".to_owned(), crate::report::shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_says_what_it_asks_for_and_what_was_found() {
        let measured = Estimate { median: 1.05, interval: [1.01, 1.1], quartiles: [1.0, 1.1], rounds: 20 };
        let goal = Goal::new(Id::HashTaggingToFloor, Some(measured));
        assert_eq!(goal.limit_text(), "at most 1.15 × floor");
        assert_eq!(goal.measured_text(), "1.05 (1.01 to 1.10)");
        assert_eq!(goal.verdict, Verdict::Met);
    }

    #[test]
    fn a_size_is_exact() {
        let goal = Goal::new(Id::TraceSize, Some(Estimate::exact(65_537.0)));
        assert_eq!((goal.limit_text().as_str(), goal.verdict), ("at most 65536 bytes", Verdict::Missed));
    }
}
