//! What `lanes split` and `lanes diff` say, as pictures.

mod buckets;
mod diff;
mod split;

pub use diff::{Moves, diff};
pub use split::split;

/// How wide a plot is, without its margins.
const WIDTH: f64 = 800.0;
/// How much of it is for names, before the bars.
const NAMES: f64 = 190.0;
/// And for figures, behind them.
const FIGURES: f64 = 170.0;
/// From one bar to the next.
const ROW: f64 = 30.0;
const BAR: f64 = 16.0;
/// Where the plot begins, beneath the titles.
const TOP: f64 = crate::picture::Picture::TOP + 12.0;
