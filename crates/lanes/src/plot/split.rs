//! How users distribute over the lanes, beside how they should.

use super::{
    BAR, FIGURES, NAMES, ROW, TOP, WIDTH,
    buckets::{Part, axis, parts, strip, x},
};
use crate::{
    document::{LaneGroup, Users},
    picture::{Colours, Element, MARGIN, Picture, SMALL, TEXT, number, shortened},
    spread::Spread,
};

/// How high the parts of the buckets are at most.
const HEIGHT: f64 = 150.0;
const STRIP: f64 = 22.0;

/// The users of each lane, and of each part of the buckets.
pub fn split(group: &LaneGroup, spread: &Spread) -> String {
    let Some(users) = group.spec.users() else { return String::new() };
    let colours = Colours::of(&[group]);
    let parts = parts(users, &group.spec.baseline);
    let share = |count: u64| 100.0 * count as f64 / spread.users.max(1) as f64;
    let intended = |lane: &str| {
        let own = parts.iter().filter(|part| part.lane == lane).map(|part| part.to - part.from).sum::<u32>();
        100.0 * f64::from(own) / f64::from(users.modulo.max(1))
    };
    let counts: Vec<(&str, u64)> =
        colours.lanes().map(|lane| (lane, spread.lanes.get(lane).copied().unwrap_or_default())).collect();
    let bars = counts.iter().enumerate().flat_map(|(index, (lane, count))| {
        bar(lane, *count, share(*count), intended(lane), &colours.of_lane(lane), TOP + index as f64 * ROW)
    });
    let top = TOP + counts.len() as f64 * ROW + 34.0;
    let bottom = top + HEIGHT;
    let text = |y: f64, text: &str| Element::text(MARGIN, y, SMALL, "start", text).with("class", "dim");
    let elements = bars
        .chain([text(top - 12.0, "users by bucket; the line is where all would be if chance were even")])
        .chain(histogram(users, spread, &parts, &colours, bottom))
        .chain(strip(&parts, users.modulo, &colours, bottom + 4.0, STRIP))
        .chain(axis(users.modulo, bottom + STRIP + 8.0))
        .chain([text(bottom + STRIP + 50.0, &spread.evenness())]);
    let lanes: Vec<String> = counts
        .iter()
        .map(|(lane, count)| format!("{lane}: {count}, {:.2} %, {} % intended", share(*count), number(intended(lane))))
        .collect();
    let picture = Picture {
        title: format!("Who is in which lane of {}", group.metadata.name),
        subtitle: format!("{} users, {} of them by name · {} buckets", spread.users, spread.named, users.modulo),
        description: format!("Users by lane: {}. By bucket: {}.", lanes.join("; "), spread.evenness()),
        width: WIDTH + 2.0 * MARGIN,
        height: bottom + STRIP + 50.0 + MARGIN - 6.0,
        elements: elements.collect(),
    };
    picture.to_string()
}

/// A lane: its name, its share as a bar with a mark where it should end, and figures.
fn bar(lane: &str, count: u64, share: f64, intended: f64, colour: &str, y: f64) -> Vec<Element> {
    let (left, whole) = (MARGIN + NAMES, WIDTH - NAMES - FIGURES);
    let rect =
        |width: f64| Element::new("rect").at([("x", left), ("y", y), ("width", width), ("height", BAR), ("rx", 3.0)]);
    let mark = left + whole * intended / 100.0;
    let mark =
        Element::new("path").with("d", &format!("M{mark:.1} {:.1}v{:.1}", y - 4.0, BAR + 8.0)).with("class", "ink");
    let base = y + BAR - 3.5;
    vec![
        Element::text(MARGIN, base, TEXT, "start", &shortened(lane)).with("class", "bold").titled(lane),
        rect(whole).with("class", "box").with("stroke-width", "0"),
        rect(whole * share / 100.0).with("fill", colour),
        mark.with("stroke-width", "2").titled(&format!("{} % intended", number(intended))),
        Element::text(left + whole + 72.0, base, TEXT, "end", &format!("{share:.2} %")).with("class", "bold"),
        Element::text(MARGIN + WIDTH, base, SMALL, "end", &format!("{count} users")).with("class", "dim"),
    ]
}

/// How many users fell into each part of the buckets, in the colours of whose they are.
fn histogram(users: &Users, spread: &Spread, parts: &[Part<'_>], colours: &Colours<'_>, bottom: f64) -> Vec<Element> {
    let all: u64 = spread.parts.iter().sum();
    let even = all as f64 / spread.parts.len().max(1) as f64;
    let most = spread.parts.iter().copied().max().unwrap_or_default() as f64;
    let height = |count: f64| HEIGHT * count / most.max(1.0);
    let number = spread.parts.len() as u64;
    let start = |index: u64| (index * u64::from(users.modulo)).div_ceil(number.max(1)) as u32;
    let mut elements = Vec::new();
    for (index, count) in (0_u64..).zip(&spread.parts) {
        let (from, to, high) = (start(index), start(index + 1), height(*count as f64));
        for part in parts.iter().filter(|part| part.from < to && from < part.to) {
            let (left, right) = (x(from.max(part.from), users.modulo), x(to.min(part.to), users.modulo));
            let space = if number > 1 { 1.0 } else { 0.0 };
            let place = [("x", left), ("y", bottom - high), ("width", right - left - space), ("height", high)];
            elements.push(
                Element::new("rect")
                    .at(place)
                    .with("fill", &colours.of_lane(part.lane))
                    .titled(&format!("{count} users")),
            );
        }
    }
    let path = format!("M{MARGIN} {:.1}h{WIDTH}", bottom - height(even));
    elements.push(Element::new("path").with("d", &path).with("class", "ink").with("stroke-dasharray", "4 3"));
    elements
}
