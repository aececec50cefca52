//! What can be said of a handful of rounds without assuming how their noise is distributed.

use serde::{Deserialize, Serialize};

/// The fewest rounds whose median has an interval of 95 %: the chance that all six lie on one side of it is 3 %.
const FEWEST: usize = 6;

/// A median, and how far it can be trusted.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    /// Holds the median of all rounds that could have been measured with a probability of 95 %: order statistics, by the
    /// binomial distribution.
    pub(crate) interval: [f64; 2],
    /// 1 for what is counted and not measured.
    pub(crate) rounds: usize,
}

impl Estimate {
    /// None if the rounds are fewer than [`FEWEST`].
    pub(crate) fn of(rounds: &[f64]) -> Option<Self> {
        if rounds.len() < FEWEST {
            return None;
        }
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (last, outside) = (sorted.len() - 1, outside(sorted.len()));
        let interval = [*sorted.get(outside)?, *sorted.get(last - outside)?];
        let median = f64::midpoint(*sorted.get(last / 2)?, *sorted.get(last.div_ceil(2))?);
        Some(Self { median, interval, rounds: sorted.len() })
    }

    /// Something that is counted.
    pub(crate) fn exact(value: f64) -> Self {
        Self { median: value, interval: [value; 2], rounds: 1 }
    }
}

/// Round by round the ratio of two costs. None if one of the `references` is not above zero: then their own noise is larger
/// than they are, and no ratio means anything.
pub(crate) fn ratio(costs: &[f64], references: &[f64]) -> Option<Estimate> {
    let pairs = costs.iter().zip(references);
    let ratios: Option<Vec<f64>> =
        pairs.map(|(cost, reference)| (*reference > 0.0).then(|| cost / reference)).collect();
    Estimate::of(&ratios?)
}

/// How many rounds at either end lie outside of the interval: the most for which the chance that the median does, too, is
/// at most 5 %. From the tables of nonparametric intervals, such as Conover's (1999, A3), at p = 0.5.
fn outside(rounds: usize) -> usize {
    let least = [FEWEST, 9, 12, 15, 17, 20, 23, 25];
    least.iter().filter(|least| rounds >= **least).count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_holds_the_middle_of_the_rounds() {
        let rounds: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!(Estimate::of(&rounds), Some(Estimate { median: 10.5, interval: [6.0, 15.0], rounds: 20 }));
        assert_eq!(Estimate::of(&[1.0; FEWEST - 1]), None);
    }

    #[test]
    fn nothing_is_a_multiple_of_noise() {
        let mut references = [1.0; 9];
        assert!(ratio(&[1.0; 9], &references).is_some());
        references[4] = -0.1;
        assert_eq!(ratio(&[1.0; 9], &references), None);
    }
}
