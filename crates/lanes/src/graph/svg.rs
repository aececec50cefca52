//! The graph as SVG.

use super::{
    Graph, Lane,
    layout::{Flow, LINE, Layout, Node, Rect, Style, chip_lines, header_lines, node_texts},
    percent,
};
use crate::{
    explain::Why,
    picture::{Element, MARGIN, Picture, SMALL, TEXT, colour, shortened, width},
};

/// The edge of a lane's box, in its colour.
const EDGE: f64 = 6.0;

/// The graph as a picture.
pub fn svg(graph: &Graph) -> String {
    let layout = Layout::of(graph);
    let (key, height) = key(graph, &layout);
    let subtitle = graph.about.clone();
    let least = width(&subtitle, TEXT).max(width(&graph.name, crate::picture::TITLE)) + 2.0 * MARGIN;
    let bands = graph.lanes.iter().zip(&layout.rows).enumerate().map(|(row, (_, place))| band(row, place.band));
    let chips = graph.lanes.iter().zip(&layout.rows).enumerate();
    let nodes = layout.nodes.iter().filter_map(|place| node(graph, place));
    let elements = bands
        .chain(layout.flows.iter().flat_map(flow))
        .chain([column(layout.clients, &graph.clients, true), column(layout.gateway, &graph.gateway, false)])
        .chain(chips.map(|(row, (lane, place))| chip(row, lane, place.chip)))
        .chain(nodes)
        .chain(layout.ends.iter().map(|end| stop(end.x, end.y, end.status)))
        .chain(headers(graph, &layout))
        .chain(key);
    let picture = Picture {
        title: graph.name.clone(),
        subtitle,
        description: graph.described(),
        width: layout.width.max(least),
        height,
        elements: elements.collect(),
    };
    picture.to_string()
}

fn rect(place: Rect, round: f64) -> Element {
    let Rect { x, y, width, height } = place;
    Element::new("rect").at([("x", x), ("y", y), ("width", width), ("height", height), ("rx", round)])
}

fn band(row: usize, place: Rect) -> Element {
    rect(place, 12.0).with("fill", &colour(row)).with("fill-opacity", ".08")
}

/// A box of the lane's colour, that nothing behind it shines through.
fn coloured(row: usize, place: Rect) -> Element {
    let tinted = rect(place, 8.0).with("fill", &colour(row)).with("fill-opacity", ".14").with("stroke", &colour(row));
    Element::new("g").holding(&rect(place, 8.0).with("class", "card")).holding(&tinted.with("stroke-width", "1.6"))
}

/// Clients and gateway: texts beneath each other, in the middle.
fn column(place: Rect, texts: &[String], is_person: bool) -> Element {
    let (x, middle) = place.middle();
    let group = Element::new("g").holding(&rect(place, 10.0).with("class", "box"));
    let icon = if is_person { 30.0 } else { 0.0 };
    let mut y = middle - (texts.len() as f64 * LINE + icon) / 2.0;
    let group = if is_person { group.holding(&person(x, y)) } else { group };
    y += icon + TEXT;
    let mut lines = texts.iter();
    let first = lines.next().map(|text| Element::text(x, y, TEXT, "middle", text).with("class", "bold"));
    let rest = lines.enumerate().map(|(index, text)| {
        let line = Element::text(x, y + LINE * (index as f64 + 1.0) + 2.0, SMALL, "middle", &shortened(text));
        line.with("class", "dim").titled(text)
    });
    first.into_iter().chain(rest).fold(group, |group, line| group.holding(&line))
}

fn person(x: f64, y: f64) -> Element {
    let head = Element::new("circle").at([("cx", x), ("cy", y + 5.0), ("r", 5.0)]);
    let shoulders = format!("M{:.1} {:.1}a9.5 9.5 0 0 1 19 0z", x - 9.5, y + 22.0);
    Element::new("g").with("fill", &colour(0)).holding(&head).holding(&Element::new("path").with("d", &shoulders))
}

/// A lane's name and share, and beneath them who enters it.
fn chip(row: usize, lane: &Lane, place: Rect) -> Element {
    let lines = chip_lines(lane);
    let title =
        std::iter::once(lane.name.clone()).chain(lane.labels.iter().map(|(name, value)| format!("{name}={value}")));
    let title = title.collect::<Vec<_>>().join(", ");
    let inner = Rect { x: place.x + EDGE, width: place.width - EDGE, ..place };
    let group = Element::new("g").titled(&title).holding(&rect(place, 8.0).with("fill", &colour(row)));
    let group = group.holding(&coloured(row, inner));
    let left = place.x + EDGE + 14.0;
    let top = place.middle().1 - (lines.len() as f64 * LINE + TEXT + 1.0) / 2.0;
    let y = top + TEXT - 1.0;
    let name = Element::text(left, y, TEXT + 1.0, "start", &shortened(&lane.name)).with("class", "bold");
    let share = lane
        .share
        .map(|share| Element::text(place.right() - 14.0, y, TEXT, "end", &percent(share)).with("class", "bold"));
    let lines = lines.iter().enumerate().map(|(index, line)| {
        Element::text(left, y + LINE * (index as f64 + 1.0) + 2.0, SMALL, "start", line).with("class", "dim")
    });
    [name].into_iter().chain(share).chain(lines).fold(group, |group, text| group.holding(&text))
}

fn node(graph: &Graph, place: &Node) -> Option<Element> {
    let (lane, service) = (graph.lanes.get(place.row)?, graph.services.get(place.column)?);
    let (x, y) = place.rect.middle();
    let (name, version) = node_texts(service, lane);
    let text =
        Element::new("text").at([("x", x), ("y", y + TEXT * 0.36), ("font-size", TEXT)]).with("text-anchor", "middle");
    let text = text.holding(&Element::new("tspan").with("class", "bold").saying(&name));
    let text = match version {
        Some(version) => text.holding(&Element::new("tspan").with("class", "dim").with("dx", "6").saying(&version)),
        None => text,
    };
    let title = format!("{} in {}", service.name, lane.name);
    Some(if graph.is_reached(place.row, place.column) {
        coloured(place.row, place.rect).titled(&title).holding(&text)
    } else {
        let outline = rect(place.rect, 8.0).with("fill", "none").with("stroke", &colour(place.row));
        let outline = outline.with("stroke-dasharray", "3 4").with("stroke-opacity", ".7");
        Element::new("g")
            .titled(&format!("{title}: nobody comes here"))
            .holding(&outline)
            .holding(&text.with("opacity", ".6"))
    })
}

/// With an edge of the background's colour, so that crossings can be told apart.
fn flow(flow: &Flow) -> [Element; 2] {
    let ((x, y), (to_x, to_y)) = (flow.from, flow.to);
    let bend = x + (to_x - x) / 2.0;
    let path = match y == to_y {
        true => format!("M{x:.1} {y:.1}H{to_x:.1}"),
        false => format!("M{x:.1} {y:.1}C{bend:.1} {y:.1} {bend:.1} {to_y:.1} {to_x:.1} {to_y:.1}"),
    };
    let line = |width: f64| Element::new("path").with("d", &path).with("fill", "none").at([("stroke-width", width)]);
    let drawn = match flow.lane {
        Some(row) => line(flow.width).with("stroke", &colour(row)),
        None => line(flow.width).with("stroke", &colour(0)).with("stroke-opacity", ".55"),
    };
    [line(flow.width + 2.5).with("class", "edge"), dashed(drawn, flow.style, flow.width)]
}

/// Dashes that suit the width.
fn dashed(line: Element, style: Style, width: f64) -> Element {
    let (dash, space) = match style {
        Style::Solid => return line,
        Style::Dashed => (5.0 + width * 0.5, 3.0 + width * 0.25),
        Style::Dotted => (1.5 + width * 0.1, 3.0 + width * 0.25),
    };
    line.with("stroke-dasharray", &format!("{dash:.1} {space:.1}"))
}

/// Where requests end.
fn stop(x: f64, y: f64, status: u16) -> Element {
    let circle = Element::new("circle").at([("cx", x), ("cy", y), ("r", 9.0)]).with("class", "card alarm");
    let cross = format!("M{:.1} {:.1}l7 7m0 -7l-7 7", x - 3.5, y - 3.5);
    let cross = Element::new("path").with("d", &cross).with("class", "alarm").with("fill", "none");
    let text = if status == 404 { "404 without a tag".to_owned() } else { status.to_string() };
    let text = Element::text(x + 15.0, y + 4.5, TEXT, "start", &text).with("class", "bold");
    Element::new("g").with("stroke-width", "2").holding(&circle).holding(&cross).holding(&text)
}

fn headers(graph: &Graph, layout: &Layout) -> Vec<Element> {
    let header = |(service, column): (&super::Service, &super::layout::Span)| {
        let (x, y) = (column.x + column.width / 2.0, Picture::TOP + 6.0);
        let name =
            Element::text(x, y, TEXT, "middle", &shortened(&service.name)).with("class", "bold").titled(&service.name);
        let lines = header_lines(service).into_iter().enumerate().map(move |(index, line)| {
            Element::text(x, y + LINE * (index as f64 + 1.0), SMALL, "middle", &line).with("class", "dim")
        });
        [name].into_iter().chain(lines)
    };
    graph.services.iter().zip(&layout.columns).flat_map(header).collect()
}

/// What lines mean, of those that are drawn; and where the picture ends.
fn key(graph: &Graph, layout: &Layout) -> (Vec<Element>, f64) {
    let answers = || graph.lanes.iter().flat_map(|lane| &lane.cells).flat_map(|cell| &cell.answers);
    let lines = [
        (Why::OwnLane, "the lane's own pods"),
        (Why::Fallback, "fallback: the baseline's pods"),
        (Why::LaneLost, "out of the lane"),
    ];
    let lines = lines.into_iter().filter(|(why, _)| answers().any(|answer| answer.why == *why));
    let mut samples: Vec<(Element, String)> = lines.map(|(why, text)| (sample(why), text.to_owned())).collect();
    if graph.lanes.iter().any(|lane| lane.share.is_some()) {
        let wedge = Element::new("path").with("d", "M0 -3.5L34 -10V2L0 -4.5z").with("fill", &colour(0));
        samples.push((wedge, format!("width: the share of the {}", graph.shared)));
    }
    let (mut x, mut y) = (MARGIN, layout.bottom + 34.0);
    let mut elements = Vec::new();
    for (sample, text) in samples {
        let length = 44.0 + width(&text, SMALL);
        if x > MARGIN && x + length > layout.width - MARGIN {
            (x, y) = (MARGIN, y + 20.0);
        }
        elements.push(sample.with("transform", &format!("translate({x:.1} {y:.1})")));
        elements.push(Element::text(x + 44.0, y, SMALL, "start", &text).with("class", "dim"));
        x += length + 12.0;
    }
    (elements, y + MARGIN - 4.0)
}

fn sample(why: Why) -> Element {
    let line = Element::new("path").with("d", "M0 -4h34").with("fill", "none").with("stroke", &colour(0));
    dashed(line.with("stroke-width", "4"), why.into(), 4.0)
}
