//! The way of every lane's requests, from box to box.

use std::fmt::{self, Display};

use super::{Answer, Cell, Graph};
use crate::explain::Why;

/// Requests of a lane that go from one box to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    /// The row of the lane.
    pub(super) lane: usize,
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) share: Option<f64>,
    pub(super) why: Why,
}

/// A box, or where one would be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// What says who enters the lane.
    Entrance(usize),
    Service(usize, usize),
    /// Where requests of a lane end without an answer, at a service.
    End(usize, usize),
}

/// A name that Graphviz and Mermaid take.
impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entrance(row) => write!(f, "lane{row}"),
            Self::Service(row, column) => write!(f, "lane{row}service{column}"),
            Self::End(row, column) => write!(f, "lane{row}end{column}"),
        }
    }
}

impl Graph {
    /// In the order of the lanes, and of each lane's chain. How requests of one lane that were answered by several go on is not
    /// known: in proportion.
    pub(super) fn edges(&self) -> Vec<Edge> {
        let rows = 0..self.lanes.len();
        rows.zip(&self.lanes).flat_map(|(row, lane)| edges(row, &lane.cells)).collect()
    }
}

fn edges(lane: usize, cells: &[Cell]) -> Vec<Edge> {
    let mut edges = Vec::new();
    // Where requests of the lane are, and which part of them.
    let mut sources = vec![(Place::Entrance(lane), 1.0)];
    for (column, cell) in cells.iter().enumerate() {
        let answers: Vec<&Answer> = cell.answers.iter().filter(|answer| is_drawn(cell, answer)).collect();
        if answers.is_empty() {
            continue;
        }
        let place = |answer: &Answer| answer.by.map_or(Place::End(lane, column), |row| Place::Service(row, column));
        for (from, part) in sources {
            edges.extend(answers.iter().map(|answer| {
                let share = answer.share.map(|share| share * part);
                Edge { lane, from, to: place(answer), share, why: answer.why }
            }));
        }
        let all: f64 = answers.iter().filter_map(|answer| answer.share).sum();
        let part = |answer: &Answer| answer.share.filter(|_| all > 0.0).map_or(1.0, |share| share / all);
        let answered = answers.iter().filter(|answer| answer.by.is_some());
        sources = answered.map(|answer| (place(answer), part(answer))).collect();
    }
    edges
}

/// Of several answers, those that are given.
fn is_drawn(cell: &Cell, answer: &Answer) -> bool {
    cell.answers.len() == 1 || answer.share != Some(0.0)
}
