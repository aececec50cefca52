//! The graph of what was measured.

use std::collections::BTreeMap;

use super::{Answer, Cell, Graph, Service, percent};
use crate::{explain::Why, picture::number};

/// How many requests a second came to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The service.
    pub service: String,
    /// Its namespace; empty if it is not known.
    pub namespace: String,
    /// The lane that the requests belong to; empty without a tag.
    pub lane: String,
    /// The lane whose pods answered.
    pub answered: String,
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

/// Requests a second, by column, by the row that was asked for, and by the row that answered.
#[derive(Default)]
struct Rates(BTreeMap<(usize, usize, usize), f64>);

impl Graph {
    /// The graph with what was measured instead of what the document says. A request without a tag is the baseline's.
    pub fn measured(mut self, samples: &[Sample]) -> Measured {
        let (mut rates, mut unknown) = (Rates::default(), Vec::new());
        for sample in samples.iter().filter(|sample| sample.rate.is_finite() && sample.rate > 0.0) {
            match self.place(sample) {
                Some(place) => *rates.0.entry(place).or_default() += sample.rate,
                None => unknown.push(sample.clone()),
            }
        }
        let entrance = rates.0.keys().map(|(column, ..)| *column).min().unwrap_or_default();
        let entering = rates.of_service(entrance);
        for (asked, lane) in self.lanes.iter_mut().enumerate() {
            let intended = lane.share.map(|share| format!("{} intended", percent(share)));
            lane.entrance = intended.into_iter().chain(lane.entrance.clone()).collect();
            lane.share = Some(share(rates.of_lane(entrance, asked).map(|(_, rate)| rate).sum(), entering));
            for (column, cell) in lane.cells.iter_mut().enumerate() {
                let all = rates.of_service(column);
                let answers = rates.of_lane(column, asked);
                cell.answers = answers.map(|(by, rate)| answer(asked, by, share(rate, all))).collect();
            }
        }
        // A service may join a lane without a word in the document.
        for (column, _, by) in rates.0.keys() {
            if let Some(cell) = self.cell(*by, *column) {
                cell.is_held = true;
            }
        }
        self.shared = "requests";
        self.about = format!("measured: {} requests/s · {}", number(entering), self.about);
        Measured { graph: self, unknown }
    }

    /// Column, row asked for, row that answered.
    fn place(&self, sample: &Sample) -> Option<(usize, usize, usize)> {
        let row = |name: &str| match name {
            "" => Some(0),
            name => self.lanes.iter().position(|lane| lane.name == name),
        };
        let column = self.services.iter().position(|service| service.is_of(sample))?;
        Some((column, row(&sample.lane)?, row(&sample.answered)?))
    }

    fn cell(&mut self, row: usize, column: usize) -> Option<&mut Cell> {
        self.lanes.get_mut(row)?.cells.get_mut(column)
    }
}

impl Service {
    fn is_of(&self, sample: &Sample) -> bool {
        let Sample { service, namespace, .. } = sample;
        let is_there = namespace.is_empty() || *namespace == self.namespace;
        is_there && (self.name == *service || self.name == format!("{service}.{namespace}"))
    }
}

impl Rates {
    fn of_service(&self, column: usize) -> f64 {
        self.0.range((column, 0, 0)..(column + 1, 0, 0)).map(|(_, rate)| rate).sum()
    }

    /// Who answered requests of a lane, and how many.
    fn of_lane(&self, column: usize, asked: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.0.range((column, asked, 0)..(column, asked + 1, 0)).map(|((_, _, by), rate)| (*by, *rate))
    }
}

fn answer(asked: usize, by: usize, share: f64) -> Answer {
    let why = match by {
        _ if by == asked => Why::OwnLane,
        0 => Why::Fallback,
        _ => Why::LaneLost,
    };
    Answer { by: Some(by), share: Some(share), why }
}

fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 { 100.0 * part / all } else { 0.0 }
}
