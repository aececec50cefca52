//! The buckets of a lane group as a strip, in the colours of the lanes.

use super::WIDTH;
use crate::{
    document::Users,
    picture::{Colours, Element, MARGIN, SMALL, number, shortened, width},
    tagging,
};

/// The marks of the axis.
const MARKS: u32 = 10;

/// Buckets of one lane: `from <= bucket < to`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) lane: &'a str,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// All buckets, in order; what is no lane's is the baseline's.
pub(super) fn parts<'a>(users: &'a Users, baseline: &'a str) -> Vec<Part<'a>> {
    let mut regions = tagging::regions(users);
    regions.sort_by_key(|region| region.from);
    let (mut parts, mut next) = (Vec::new(), 0);
    for region in regions {
        let lane = users.split.iter().find(|share| share.lane == region.lane).map_or(baseline, |share| &share.lane);
        parts.push(Part { lane: baseline, from: next, to: region.from });
        parts.push(Part { lane, from: region.from, to: region.to });
        next = region.to;
    }
    parts.push(Part { lane: baseline, from: next, to: users.modulo });
    parts.retain(|part| part.from < part.to);
    parts
}

/// Where a bucket begins.
pub(super) fn x(bucket: u32, modulo: u32) -> f64 {
    MARGIN + WIDTH * f64::from(bucket) / f64::from(modulo.max(1))
}

/// The strip, each part with its lane's name if there is space for it.
pub(super) fn strip(parts: &[Part<'_>], modulo: u32, colours: &Colours<'_>, y: f64, height: f64) -> Vec<Element> {
    let part = |part: &Part<'_>| {
        let (left, right) = (x(part.from, modulo), x(part.to, modulo));
        let name = shortened(part.lane);
        let place = [("x", left), ("y", y), ("width", right - left), ("height", height)];
        let title = format!("{}: buckets {} to {}", part.lane, part.from, part.to - 1);
        let rect = Element::new("rect").at(place).with("fill", &colours.of_lane(part.lane)).titled(&title);
        let text = Element::text((left + right) / 2.0, y + height / 2.0 + 4.0, SMALL, "middle", &name);
        let fits = width(&name, SMALL) < right - left - 6.0;
        [Some(rect), fits.then(|| text.with("class", colours.class_on(part.lane)))]
    };
    parts.iter().flat_map(part).flatten().collect()
}

/// The numbers of the buckets, beneath a strip.
pub(super) fn axis(modulo: u32, y: f64) -> Vec<Element> {
    let mark = |index: u32| {
        let bucket = (u64::from(modulo) * u64::from(index) / u64::from(MARKS)) as u32;
        let x = x(bucket, modulo);
        let line = Element::new("path").with("d", &format!("M{x:.1} {y:.1}v5")).with("class", "rule");
        let text = Element::text(x, y + 18.0, SMALL, "middle", &number(f64::from(bucket))).with("class", "dim");
        [line, text]
    };
    (0..=MARKS.min(modulo)).flat_map(mark).collect()
}
