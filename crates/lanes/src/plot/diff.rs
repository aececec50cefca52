//! Who moves when one lane group is replaced by another.

use std::collections::BTreeMap;

use super::{
    BAR, FIGURES, NAMES, ROW, TOP, WIDTH,
    buckets::{Part, axis, parts, strip, x},
};
use crate::{
    document::{LaneGroup, Users},
    picture::{Colours, Element, MARGIN, Picture, SMALL, TEXT, shortened, width},
    spread::Move,
};

const STRIP: f64 = 26.0;
/// Between the buckets before and after.
const BETWEEN: f64 = 64.0;
/// How wide the texts before and after are at the left of their strips.
const LABEL: f64 = 18.0;

/// Who moves, of how many.
pub struct Moves<'a> {
    /// What is counted: buckets, or users.
    pub of: &'static str,
    /// By where they were and where they go.
    pub moves: &'a BTreeMap<Move, u64>,
    /// How many there are together.
    pub all: u64,
}

/// The buckets before and after, and who moves. `buckets` is `None` if anybody may move anywhere.
pub fn diff(old: &LaneGroup, new: &LaneGroup, buckets: Option<Moves<'_>>, users: Option<Moves<'_>>) -> String {
    let (Some(before), Some(after)) = (old.spec.users(), new.spec.users()) else { return String::new() };
    let colours = Colours::of(&[old, new]);
    let (was, will) = (parts(before, &old.spec.baseline), parts(after, &new.spec.baseline));
    let top = TOP + LABEL;
    let bottom = top + STRIP + BETWEEN;
    let label = |y: f64, text: &str| Element::text(MARGIN, y - 6.0, SMALL, "start", text).with("class", "dim");
    let mut elements = vec![label(top, "before")];
    elements.extend(strip(&was, before.modulo, &colours, top, STRIP));
    elements.extend(match &buckets {
        Some(_) => moved(&was, &will, before, &colours, top + STRIP),
        None => anywhere(top + STRIP),
    });
    elements.extend(strip(&will, after.modulo, &colours, bottom, STRIP));
    elements.push(label(bottom, "after"));
    elements.extend(axis(after.modulo, bottom + STRIP + 4.0));
    let mut y = bottom + STRIP + 70.0;
    let baselines = [old.spec.baseline.as_str(), new.spec.baseline.as_str()];
    let mut said = Vec::new();
    for counted in buckets.iter().chain(&users) {
        if !counted.moves.is_empty() {
            elements.push(label(y - 6.0, counted.of));
        }
        for (moved, count) in counted.moves {
            elements.extend(row(moved, *count, counted, baselines, &colours, y));
            y += ROW;
        }
        y += if counted.moves.is_empty() { 0.0 } else { 20.0 };
        let moving: u64 = counted.moves.values().sum();
        let between = counted.moves.iter().filter(|(moved, _)| is_between_lanes(moved, baselines));
        let between = match between.map(|(_, count)| count).sum::<u64>() {
            0 => String::new(),
            between => format!(", {between} of them between two lanes"),
        };
        said.push(format!("{moving} of {} {} move{between}", counted.all, counted.of));
    }
    if buckets.is_none() {
        said.push("identity, hash, salt, seed or modulo differ: every user may move anywhere".to_owned());
    }
    let moves = buckets.iter().chain(&users).flat_map(|counted| {
        counted.moves.iter().map(|(moved, count)| format!("{} to {}: {count} {}.", moved.from, moved.to, counted.of))
    });
    let picture = Picture {
        title: format!("Who moves in {}", new.metadata.name),
        subtitle: said.join(" · "),
        description: [format!("{}.", said.join(", "))].into_iter().chain(moves).collect::<Vec<_>>().join(" "),
        width: WIDTH + 2.0 * MARGIN,
        height: y - 20.0 - ROW + BAR + MARGIN,
        elements,
    };
    picture.to_string()
}

/// The buckets that change lanes, from the old strip to the new one.
fn moved(was: &[Part<'_>], will: &[Part<'_>], users: &Users, colours: &Colours<'_>, y: f64) -> Vec<Element> {
    let mut elements = Vec::new();
    for (old, new) in was.iter().flat_map(|old| will.iter().map(move |new| (old, new))) {
        let (from, to) = (old.from.max(new.from), old.to.min(new.to));
        if from >= to || old.lane == new.lane {
            continue;
        }
        let (left, right) = (x(from, users.modulo), x(to, users.modulo));
        let place = [("x", left), ("y", y), ("width", right - left), ("height", BETWEEN)];
        let fill = Element::new("rect").at(place).with("fill", &colours.of_lane(new.lane)).with("fill-opacity", ".3");
        let text = format!("{} → {}", shortened(old.lane), shortened(new.lane));
        let says = Element::text((left + right) / 2.0, y + BETWEEN / 2.0 + 4.0, SMALL, "middle", &text);
        elements.push(fill.titled(&format!("{text}: buckets {from} to {}", to - 1)));
        elements.extend((width(&text, SMALL) < right - left - 6.0).then_some(says));
    }
    elements
}

fn anywhere(y: f64) -> Vec<Element> {
    let text = "every user may move anywhere";
    vec![
        Element::text(MARGIN + WIDTH / 2.0, y + BETWEEN / 2.0 + 4.0, TEXT, "middle", text)
            .with("class", "bold alarmed"),
    ]
}

/// A move: from where to where, how many as a bar, and figures. One between two lanes is an alarm.
fn row(moved: &Move, count: u64, of: &Moves<'_>, baselines: [&str; 2], colours: &Colours<'_>, y: f64) -> Vec<Element> {
    let share = 100.0 * count as f64 / of.all.max(1) as f64;
    let (left, whole, base) = (MARGIN + NAMES, WIDTH - NAMES - FIGURES, y + BAR - 3.5);
    let rect =
        |width: f64| Element::new("rect").at([("x", left), ("y", y), ("width", width), ("height", BAR), ("rx", 3.0)]);
    let text = format!("{} → {}", shortened(&moved.from), shortened(&moved.to));
    let class = if is_between_lanes(moved, baselines) { "bold alarmed" } else { "bold" };
    vec![
        Element::text(MARGIN, base, TEXT, "start", &text).with("class", class),
        rect(whole).with("class", "box").with("stroke-width", "0"),
        rect(whole * share / 100.0).with("fill", &colours.of_lane(&moved.to)),
        Element::text(left + whole + 72.0, base, TEXT, "end", &format!("{share:.2} %")).with("class", "bold"),
        Element::text(MARGIN + WIDTH, base, SMALL, "end", &format!("{count} {}", of.of)).with("class", "dim"),
    ]
}

/// What no ramp does.
fn is_between_lanes(moved: &Move, [old, new]: [&str; 2]) -> bool {
    moved.from != old && moved.to != new
}
