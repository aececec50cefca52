//! What the figures allow to be said, and when they allow nothing.

use serde::{Deserialize, Serialize};

use crate::statistics::Estimate;

/// Whether a goal of the form "at most" is reached.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The whole interval is at or below the limit.
    Met,
    /// The whole interval is above it.
    Missed,
    /// The limit is inside the interval, or there is none: the noise is larger than the difference.
    Undecided,
}

/// Which of two costs is the larger one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    Less,
    More,
    /// The noise is larger than the difference.
    Undecided,
}

impl Verdict {
    pub(crate) fn at_most(limit: f64, measured: Option<&Estimate>) -> Self {
        match measured.map(|estimate| estimate.interval) {
            Some([_, high]) if high <= limit => Self::Met,
            Some([low, _]) if low > limit => Self::Missed,
            _ => Self::Undecided,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Undecided => "undecided: the noise is larger than the difference",
        }
    }
}

impl Order {
    /// From the ratio of the two.
    pub(crate) fn of_ratio(ratio: Option<&Estimate>) -> Self {
        match ratio.map(|estimate| estimate.interval) {
            Some([_, high]) if high < 1.0 => Self::Less,
            Some([low, _]) if low > 1.0 => Self::More,
            _ => Self::Undecided,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Less => "less",
            Self::More => "more",
            Self::Undecided => "no difference shown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64) -> Estimate {
        Estimate { median: f64::midpoint(low, high), interval: [low, high], quartiles: [low, high], rounds: 9 }
    }

    #[test]
    fn the_whole_interval_decides() {
        let verdict = |low, high| Verdict::at_most(1.15, Some(&between(low, high)));
        assert_eq!(verdict(0.9, 1.1), Verdict::Met);
        assert_eq!(verdict(1.0, 1.15), Verdict::Met);
        assert_eq!(verdict(1.15, 1.3), Verdict::Undecided);
        assert_eq!(verdict(0.9, 1.2), Verdict::Undecided, "though the median is below");
        assert_eq!(verdict(1.16, 1.3), Verdict::Missed);
    }

    #[test]
    fn without_an_interval_nothing_is_said() {
        assert_eq!(Verdict::at_most(1.15, None), Verdict::Undecided);
        assert_eq!(Order::of_ratio(None), Order::Undecided);
    }

    #[test]
    fn two_costs_differ_if_their_ratio_cannot_be_one() {
        let order = |low, high| Order::of_ratio(Some(&between(low, high)));
        assert_eq!(order(0.8, 0.99), Order::Less);
        assert_eq!(order(1.01, 1.2), Order::More);
        assert_eq!(order(0.9, 1.1), Order::Undecided);
        assert_eq!(order(1.0, 1.0), Order::Undecided);
    }

    #[test]
    fn what_is_counted_is_always_decided() {
        assert_eq!(Verdict::at_most(65536.0, Some(&Estimate::exact(65536.0))), Verdict::Met);
        assert_eq!(Verdict::at_most(65536.0, Some(&Estimate::exact(65537.0))), Verdict::Missed);
    }
}
