//! Where everything is. Rows are lanes, columns are services; what flows between two columns stays between them, so that no
//! flow crosses a box.

mod flows;
#[cfg(test)]
mod tests;

use super::{Graph, Lane, Service};
use crate::picture::{MARGIN, Picture, SMALL, TEXT, shortened, width};

pub(super) use flows::{Flow, Style};

/// How high a line of small text is.
pub(super) const LINE: f64 = 15.0;
/// Inside of boxes, beside their texts.
const PADDING: f64 = 14.0;
/// Between two rows.
const BETWEEN: f64 = 10.0;
/// The least height of a service's box.
const BOX: f64 = 38.0;
/// Bold text is wider.
const BOLD: f64 = 1.08;

/// Where everything is.
pub(super) struct Layout {
    pub(super) width: f64,
    /// Where the rows end.
    pub(super) bottom: f64,
    pub(super) clients: Rect,
    pub(super) gateway: Rect,
    pub(super) rows: Vec<Row>,
    pub(super) columns: Vec<Span>,
    pub(super) nodes: Vec<Node>,
    pub(super) flows: Vec<Flow>,
    /// Where requests end without an answer of a service: the middle of a 503, or of a 404.
    pub(super) ends: Vec<End>,
}

/// A box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// From left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) x: f64,
    pub(super) width: f64,
}

/// A lane: what is behind it, and the box that says who enters it.
pub(super) struct Row {
    pub(super) band: Rect,
    pub(super) chip: Rect,
    slots: Vec<Slot>,
}

/// Where requests of a lane pass through the boxes of a row: always at the same height, so that they go straight on.
struct Slot {
    lane: usize,
    y: f64,
}

/// A service's pods in a lane.
pub(super) struct Node {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) rect: Rect,
}

/// Where requests end.
pub(super) struct End {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) status: u16,
}

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

impl Span {
    fn right(&self) -> f64 {
        self.x + self.width
    }
}

impl Row {
    /// At which height a lane passes through.
    fn y(&self, lane: usize) -> f64 {
        self.slots.iter().find(|slot| slot.lane == lane).map_or(self.chip.middle().1, |slot| slot.y)
    }
}

impl Layout {
    pub(super) fn of(graph: &Graph) -> Self {
        let gap = 56.0 + 4.0 * graph.lanes.len().min(12) as f64;
        let clients = Span { x: MARGIN, width: lines_width(&graph.clients) };
        let gateway = Span { x: clients.right() + 48.0, width: lines_width(&graph.gateway) };
        let widest = graph.lanes.iter().map(chip_width).fold(0.0, f64::max);
        let chips = Span { x: gateway.right() + 52.0, width: widest };
        let mut right = chips.right();
        let column = |service: (usize, &Service)| {
            let span = Span { x: right + gap, width: column_width(graph, service) };
            right = span.right();
            span
        };
        let columns: Vec<Span> = graph.services.iter().enumerate().map(column).collect();
        let right = right + 16.0;

        let mut y = Picture::TOP + header_height(graph);
        let row = |(row, lane): (usize, &Lane)| {
            let (mut slots, stack) = flows::slots(graph, row);
            let node = BOX.max(stack + 20.0);
            let chip_height = node.max(chip_lines(lane).len() as f64 * LINE + TEXT + 17.0);
            let band = Rect { x: chips.x - 16.0, y, width: right - chips.x + 16.0, height: chip_height + 24.0 };
            let chip = Rect { x: chips.x, y: y + 12.0, width: chips.width, height: chip_height };
            let top = chip.middle().1 - stack / 2.0;
            slots.iter_mut().for_each(|slot| slot.y += top);
            y += band.height + BETWEEN;
            (Row { band, chip, slots }, node)
        };
        let (rows, heights): (Vec<Row>, Vec<f64>) = graph.lanes.iter().enumerate().map(row).unzip();
        let (top, rejected) = (Picture::TOP + header_height(graph), y + 16.0);
        let bottom = if graph.rejects_untagged { rejected + 20.0 } else { y - BETWEEN };
        let gateway = Rect { x: gateway.x, y: top, width: gateway.width, height: bottom - top };
        let height = graph.clients.len() as f64 * LINE + 64.0;
        let clients = Rect { x: clients.x, y: gateway.middle().1 - height / 2.0, width: clients.width, height };
        let nodes = nodes(graph, &rows, &columns, &heights);
        let mut layout = Self {
            width: right + MARGIN,
            bottom,
            clients,
            gateway,
            rows,
            columns,
            nodes,
            flows: Vec::new(),
            ends: Vec::new(),
        };
        layout.draw(graph, graph.rejects_untagged.then_some(rejected));
        layout
    }
}

fn nodes(graph: &Graph, rows: &[Row], columns: &[Span], heights: &[f64]) -> Vec<Node> {
    let cells = graph.lanes.iter().zip(rows).zip(heights).enumerate().flat_map(|(row, ((lane, place), height))| {
        lane.cells.iter().zip(columns).enumerate().filter(|(_, (cell, _))| cell.is_held).map(
            move |(column, (_, span))| {
                let y = place.chip.middle().1 - height / 2.0;
                Node { row, column, rect: Rect { x: span.x, y, width: span.width, height: *height } }
            },
        )
    });
    cells.collect()
}

/// What a lane's box says beneath its name.
pub(super) fn chip_lines(lane: &Lane) -> Vec<String> {
    let labels = lane.labels.iter().map(|(name, value)| shortened(&format!("{name}={value}")));
    lane.entrance.iter().cloned().chain(labels.take(2)).collect()
}

/// What a service's box says: its name, and how the lane's pods differ.
pub(super) fn node_texts(service: &Service, lane: &Lane) -> (String, Option<String>) {
    (shortened(&service.name), lane.version().map(shortened))
}

/// What is above a column, beside the service's name.
pub(super) fn header_lines(service: &Service) -> Vec<String> {
    let routes = match service.routes.as_slice() {
        [] => None,
        [_] => Some("route"),
        _ => Some("routes"),
    };
    let routes =
        routes.map(|noun| format!("↳ {noun} {}", crate::picture::listed(service.routes.iter().map(String::as_str))));
    let namespace = service.has_other_namespaces.then(|| shortened(&service.namespace));
    namespace.into_iter().chain(routes).collect()
}

fn header_height(graph: &Graph) -> f64 {
    let lines = graph.services.iter().map(|service| header_lines(service).len()).max().unwrap_or_default();
    TEXT + 14.0 + lines as f64 * LINE
}

fn chip_width(lane: &Lane) -> f64 {
    let share = lane.share.map_or(0.0, |share| 16.0 + width(&super::percent(share), TEXT) * BOLD);
    let lines = chip_lines(lane).iter().map(|line| width(line, SMALL)).fold(0.0, f64::max);
    lines.max(width(&shortened(&lane.name), TEXT + 1.0) * BOLD + share) + 2.0 * PADDING + 6.0
}

fn column_width(graph: &Graph, (column, service): (usize, &Service)) -> f64 {
    let held = graph.lanes.iter().filter(|lane| lane.cells.get(column).is_some_and(|cell| cell.is_held));
    let node = |lane: &Lane| {
        let (name, version) = node_texts(service, lane);
        width(&name, TEXT) * BOLD + version.map_or(0.0, |version| 6.0 + width(&version, TEXT)) + 2.0 * PADDING
    };
    let header = header_lines(service).iter().map(|line| width(line, SMALL)).fold(0.0, f64::max);
    held.map(node).fold(header.max(width(&shortened(&service.name), TEXT) * BOLD), f64::max).max(84.0)
}

fn lines_width(lines: &[String]) -> f64 {
    let widest = lines.iter().map(|line| width(&shortened(line), SMALL)).fold(0.0, f64::max);
    let first = lines.first().map_or(0.0, |line| width(line, TEXT) * BOLD);
    widest.max(first).max(60.0) + 2.0 * PADDING
}
