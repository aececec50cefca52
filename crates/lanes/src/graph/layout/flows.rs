//! What flows from box to box.

use super::{End, Layout, Slot, Span};
use crate::{
    explain::Why,
    graph::{Graph, edges::Place},
};

/// How wide all requests are together.
const WHOLE: f64 = 32.0;
/// How wide requests are whose share is not known.
const UNKNOWN: f64 = 3.0;
/// A lane that nobody enters now is drawn all the same.
const LEAST: f64 = 2.0;
/// Between two lanes in one box.
const BETWEEN: f64 = 4.0;

/// Requests of a lane, on their way from one box to the next.
pub(in crate::graph) struct Flow {
    /// The row of the lane; `None` before the gateway has decided.
    pub(in crate::graph) lane: Option<usize>,
    pub(in crate::graph) from: (f64, f64),
    pub(in crate::graph) to: (f64, f64),
    pub(in crate::graph) width: f64,
    pub(in crate::graph) style: Style,
}

/// How a flow is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::graph) enum Style {
    /// Into the lane's own pods.
    Solid,
    /// Into the baseline's, as a fallback.
    Dashed,
    /// Out of the lane.
    Dotted,
}

impl From<Why> for Style {
    fn from(why: Why) -> Self {
        match why {
            Why::OwnLane | Why::Unavailable => Self::Solid,
            Why::Fallback => Self::Dashed,
            Why::LaneLost => Self::Dotted,
        }
    }
}

/// Where lanes pass through a row's boxes, beneath each other, and how high all of them are together.
pub(super) fn slots(graph: &Graph, row: usize) -> (Vec<Slot>, f64) {
    let (mut slots, mut y) = (Vec::new(), 0.0);
    for (lane, drawn) in graph.lanes.iter().enumerate() {
        let shares = drawn.cells.iter().flat_map(|cell| &cell.answers).filter(|answer| answer.by == Some(row));
        let own = (lane == row).then(|| thickness(drawn.share));
        let widest = shares.map(|answer| thickness(answer.share)).chain(own).reduce(f64::max);
        if let Some(widest) = widest {
            y += if slots.is_empty() { 0.0 } else { BETWEEN };
            slots.push(Slot { lane, y: y + widest / 2.0 });
            y += widest;
        }
    }
    (slots, y)
}

fn thickness(share: Option<f64>) -> f64 {
    share.map_or(UNKNOWN, |share| (share / 100.0 * WHOLE).max(LEAST))
}

impl Layout {
    /// Draws the way of every lane, and that of what has no tag, which ends at the height `rejected`.
    pub(super) fn draw(&mut self, graph: &Graph, rejected: Option<f64>) {
        let is_known = graph.lanes.iter().any(|lane| lane.share.is_some());
        let (x, y) = (self.gateway.x, self.gateway.middle().1);
        let width = if is_known { WHOLE } else { 2.0 * UNKNOWN };
        let arriving = Flow { lane: None, from: (self.clients.right(), y), to: (x, y), width, style: Style::Solid };
        self.flows.push(arriving);
        for (lane, (drawn, row)) in graph.lanes.iter().zip(&self.rows).enumerate() {
            let (from, to) = ((self.gateway.right(), row.y(lane)), (row.chip.x, row.y(lane)));
            let width = thickness(drawn.share);
            self.flows.push(Flow { lane: Some(lane), from, to, width, style: Style::Solid });
        }
        for edge in graph.edges() {
            let (from, to) = (self.right_of(edge.lane, edge.from), self.left_of(edge.lane, edge.to));
            if let Place::End(..) = edge.to {
                self.ends.push(End { x: to.0, y: to.1, status: 503 });
            }
            let width = thickness(edge.share);
            self.flows.push(Flow { lane: Some(edge.lane), from, to, width, style: edge.why.into() });
        }
        if let (Some(y), Some(row)) = (rejected, self.rows.first()) {
            let (from, x) = (self.gateway.right(), row.chip.x + 8.0);
            let style = Style::Solid;
            self.flows.push(Flow { lane: None, from: (from, y), to: (x, y), width: UNKNOWN, style });
            self.ends.push(End { x, y, status: 404 });
        }
    }

    /// Where requests of a lane leave a box.
    fn right_of(&self, lane: usize, place: Place) -> (f64, f64) {
        match place {
            Place::Entrance(row) => self.rows.get(row).map_or((0.0, 0.0), |row| (row.chip.right(), row.y(lane))),
            Place::Service(row, column) | Place::End(row, column) => {
                (self.columns.get(column).map_or(0.0, Span::right), self.height_of(lane, row))
            }
        }
    }

    /// Where they come into it, or end.
    fn left_of(&self, lane: usize, place: Place) -> (f64, f64) {
        let span = |column: usize| self.columns.get(column).map_or((0.0, 0.0), |span| (span.x, span.width));
        match place {
            Place::Entrance(row) => self.rows.get(row).map_or((0.0, 0.0), |row| (row.chip.x, row.y(lane))),
            Place::Service(row, column) => (span(column).0, self.height_of(lane, row)),
            Place::End(row, column) => (span(column).0 + span(column).1 / 2.0, self.height_of(lane, row)),
        }
    }

    fn height_of(&self, lane: usize, row: usize) -> f64 {
        self.rows.get(row).map_or(0.0, |row| row.y(lane))
    }
}
