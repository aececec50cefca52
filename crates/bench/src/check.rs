//! `make bench-check`: the ratios that have goals, against those that are kept in the repository.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{
    bench::Bench,
    goals::Goal,
    report::{number, shown, table},
    sections::Name,
};

/// How much larger than the one that is kept a ratio may be. While others compiled on the same cores, one ratio came out
/// between 1.56 and 1.86, a fifth apart; this is a little more than that. Smaller changes are for `make bench` on a
/// quiet machine to see.
const TOLERANCE: f64 = 1.25;

/// Of a report, what is compared.
#[derive(Deserialize)]
struct Kept {
    goals: Vec<Goal>,
}

/// Measures, prints a table, and tells whether all is as it was.
pub(crate) fn run(bench: &Bench) -> Result<bool> {
    let text = fs::read_to_string(bench.repository.join("bench/figures.json"))?;
    let kept: Kept = serde_json::from_str(&text).context("bench/figures.json: run `make bench` first")?;
    let goals = [Name::HashTagging.run(bench)?.1, Name::Filters.run(bench)?.1].concat();
    let (mut rows, mut is_kept) = (Vec::new(), true);
    for Goal { what, unit, measured, .. } in goals {
        let earlier = kept.goals.iter().find(|kept| kept.what == what && kept.unit == unit);
        let earlier = earlier.and_then(|kept| kept.measured);
        let most = earlier.with_context(|| format!("bench/figures.json has no figure for {what}"))?.median * TOLERANCE;
        // Only what is certainly more than it may be is a failure; but no figure at all is one as well.
        let passes = measured.is_some_and(|estimate| estimate.interval[0] <= most);
        is_kept &= passes;
        let verdict = if passes { "ok" } else { "FAILED" };
        rows.push(vec![format!("{what}, {unit}"), shown(earlier), shown(measured), number(most), verdict.to_owned()]);
    }
    println!("A ratio fails if its whole interval is more than {TOLERANCE} times the one that is kept.\n");
    println!("{}", table(&["ratio", "kept", "measured", "at most", ""], rows));
    Ok(is_kept)
}
