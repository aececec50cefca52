//! The goals that the project has set itself, and whether these figures reach them.

use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// What is asked for: what is measured, how much it may be, and of what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(&'static str, f64, &'static str);

const MODULE: f64 = 330.0 * 1024.0;

pub(crate) const HASH_TAGGING: Limit = Limit("hash tagging, one rule, added CPU", 1.45, "× floor");
pub(crate) const NATIVE: Limit = Limit("native tagging, added CPU", 0.6, "× floor");
pub(crate) const HUNDRED_RULES: Limit = Limit("100 rules on one identity, added CPU", 1.25, "× one rule");
pub(crate) const BAGGAGE: Limit = Limit("baggage, three members, added CPU", 1.5, "× floor");
pub(crate) const TRACE: Limit = Limit("trace propagation, inbound and outbound together, added CPU", 2.5, "× floor");
pub(crate) const CHAIN: Limit =
    Limit("chain of three services with all filters, p99 at half load", 1.1, "× without filters");
/// In the order of [`Filter::ALL`](crate::bench::Filter::ALL).
pub(crate) const SIZES: [Limit; 3] = [
    Limit("size of hash tagging", MODULE, "bytes"),
    Limit("size of baggage propagation", MODULE, "bytes"),
    Limit("size of trace propagation", MODULE, "bytes"),
];
pub(crate) const MEMORY: Limit = Limit("memory per worker and module", 2.0, "MiB");
/// An Envoy's memory goes up and down by that much: its allocator gives pages back when it likes.
pub(crate) const FLAT: Limit = Limit("memory after ten times the requests, added", 1.0, "MiB");

/// A goal and how far it was reached.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) limit: f64,
    pub(crate) unit: String,
    pub(crate) measured: Option<Estimate>,
    pub(crate) verdict: String,
}

impl Limit {
    /// Met or missed if the whole interval says so.
    pub(crate) fn goal(self, measured: Option<Estimate>) -> Goal {
        let Self(what, limit, unit) = self;
        let verdict = match measured.map(|estimate| estimate.interval) {
            Some([_, high]) if high <= limit => "met",
            Some([low, _]) if low > limit => "missed",
            _ => "undecided: the noise is larger than the difference",
        };
        Goal { what: what.to_owned(), limit, unit: unit.to_owned(), measured, verdict: verdict.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_interval_decides() {
        let verdict = |interval| HASH_TAGGING.goal(Some(Estimate { median: 1.4, interval, rounds: 9 })).verdict;
        assert_eq!(verdict([1.0, 1.45]), "met");
        assert_eq!(verdict([1.46, 1.5]), "missed");
        assert!(verdict([1.0, 1.5]).starts_with("undecided"), "though the median is below");
        assert!(HASH_TAGGING.goal(None).verdict.starts_with("undecided"));
    }
}
