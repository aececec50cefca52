//! The graph of what was measured.

use super::{Answer, Graph, percent};
use crate::{explain::Why, picture::number};

/// How many requests a second came to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The service.
    pub service: String,
    /// The lane whose pods answered.
    pub lane: String,
    /// The lane that the request's tag asked for; empty without a tag.
    pub asked: String,
    /// Requests a second.
    pub rate: f64,
}

/// What measurement makes of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The same lanes and services, with the shares that they really have.
    pub graph: Graph,
    /// What is of no lane or service of the lane group, and therefore not drawn.
    pub unknown: Vec<Sample>,
}

/// A sample, by rows and columns.
struct Count {
    column: usize,
    by: usize,
    asked: usize,
    rate: f64,
}

impl Graph {
    /// The graph with what was measured instead of what the document says. A request without a tag is the baseline's.
    pub fn measured(mut self, samples: &[Sample]) -> Measured {
        let (known, unknown): (Vec<_>, Vec<_>) = samples
            .iter()
            .filter(|sample| sample.rate > 0.0)
            .map(|sample| (self.count(sample), sample))
            .partition(|(count, _)| count.is_some());
        let counts: Vec<Count> = known.into_iter().filter_map(|(count, _)| count).collect();
        let rate =
            |is: &dyn Fn(&Count) -> bool| counts.iter().filter(|count| is(count)).map(|count| count.rate).sum::<f64>();
        let columns: Vec<f64> = (0..self.services.len()).map(|column| rate(&|count| count.column == column)).collect();
        let entrance = columns.iter().position(|all| *all > 0.0).unwrap_or_default();
        let entering = columns.get(entrance).copied().unwrap_or_default();
        let share = |part: f64, all: f64| if all > 0.0 { 100.0 * part / all } else { 0.0 };

        let rows = self.lanes.len();
        for (asked, lane) in self.lanes.iter_mut().enumerate() {
            let intended = lane.share.map(|share| format!("{} intended", percent(share)));
            lane.entrance = intended.into_iter().chain(lane.entrance.clone()).collect();
            lane.share = Some(share(rate(&|count| count.column == entrance && count.asked == asked), entering));
            for (column, (cell, all)) in lane.cells.iter_mut().zip(&columns).enumerate() {
                let answer = |by: usize| {
                    let rate = rate(&|count| (count.column, count.by, count.asked) == (column, by, asked));
                    let why = match by {
                        _ if by == asked => Why::OwnLane,
                        0 => Why::Fallback,
                        _ => Why::LaneLost,
                    };
                    (rate > 0.0).then(|| Answer { by: Some(by), share: Some(share(rate, *all)), why })
                };
                cell.answers = (0..rows).filter_map(answer).collect();
            }
        }
        self.shared = "requests";
        self.about = format!("measured: {} requests/s · {}", number(entering), self.about);
        Measured { graph: self, unknown: unknown.into_iter().map(|(_, sample)| sample.clone()).collect() }
    }

    fn count(&self, sample: &Sample) -> Option<Count> {
        let row = |name: &str| self.lanes.iter().position(|lane| lane.name == name);
        let column = self.services.iter().position(|service| service.name == sample.service)?;
        let asked = if sample.asked.is_empty() { 0 } else { row(&sample.asked)? };
        Some(Count { column, by: row(&sample.lane)?, asked, rate: sample.rate })
    }
}
