//! The colours of lanes.

use crate::document::LaneGroup;

/// For the baseline, which is no experiment: a grey.
const BASELINE: Colour = Colour(0x6f, 0x7b, 0x8a);

/// After Okabe and Ito, whom colour-blind readers can tell apart; all of them dark enough on white and light enough on black.
const LANES: [Colour; 7] = [
    Colour(0x00, 0x7c, 0xc2),
    Colour(0xd9, 0x8a, 0x00),
    Colour(0x00, 0x9e, 0x73),
    Colour(0xc8, 0x6a, 0x9c),
    Colour(0x3d, 0xa5, 0xdd),
    Colour(0xd5, 0x5e, 0x00),
    Colour(0x94, 0x8d, 0x0e),
];

/// Where the colours begin anew, they are lighter, and darker the next time.
const SHADES: [Option<Colour>; 3] = [None, Some(Colour(0xff, 0xff, 0xff)), Some(Colour(0, 0, 0))];

/// The colour of each lane of a lane group: of the baseline first, and of the others in their order.
pub(crate) struct Colours<'a>(Vec<&'a str>);

#[derive(Clone, Copy)]
struct Colour(u8, u8, u8);

impl<'a> Colours<'a> {
    /// Of the lane groups that one picture shows: what both have is of one colour.
    pub(crate) fn of(groups: &[&'a LaneGroup]) -> Self {
        let baseline = groups.first().map(|group| group.spec.baseline.as_str());
        let others = groups.iter().flat_map(|group| &group.spec.lanes).map(|lane| lane.name.as_str());
        let mut lanes: Vec<&str> = baseline.into_iter().collect();
        for lane in others {
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        Self(lanes)
    }

    pub(crate) fn lanes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.0.iter().copied()
    }

    /// The colour of a lane, as CSS writes it.
    pub(crate) fn of_lane(&self, lane: &str) -> String {
        colour(self.row(lane))
    }

    /// The class of a text on that colour.
    pub(crate) fn class_on(&self, lane: &str) -> &'static str {
        if of_row(self.row(lane)).is_light() { "on-light" } else { "on-dark" }
    }

    fn row(&self, lane: &str) -> usize {
        self.0.iter().position(|name| *name == lane).unwrap_or_default()
    }
}

/// The colour of the lane in a row, of which the first is the baseline's.
pub(crate) fn colour(row: usize) -> String {
    of_row(row).css()
}

fn of_row(row: usize) -> Colour {
    let Some(index) = row.checked_sub(1) else { return BASELINE };
    let colour = LANES.iter().cycle().nth(index % LANES.len()).copied().unwrap_or(BASELINE);
    let shade = SHADES.iter().cycle().nth(index / LANES.len() % SHADES.len()).copied().flatten();
    shade.map_or(colour, |shade| colour.mixed(shade))
}

impl Colour {
    fn mixed(self, other: Self) -> Self {
        let channel = |own: u8, other: u8| ((u16::from(own) * 2 + u16::from(other)) / 3) as u8;
        Self(channel(self.0, other.0), channel(self.1, other.1), channel(self.2, other.2))
    }

    /// Whether dark text can be read on it better than white, as the eye weighs the channels.
    fn is_light(self) -> bool {
        u32::from(self.0) * 299 + u32::from(self.1) * 587 + u32::from(self.2) * 114 > 125_000
    }

    fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}
