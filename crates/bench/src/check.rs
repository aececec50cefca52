//! `make bench-check`: the ratios that have goals, against those that are kept in the repository.

use anyhow::{Context, Result};

use crate::{
    bench::Bench,
    goals::Goal,
    progress::Progress,
    report::{Report, number, shown, table},
    sections,
    statistics::Estimate,
};

/// How much larger than the one that is kept a ratio may be. While others compiled on the same cores, one ratio came out
/// between 1.56 and 1.86, a fifth apart; this is a little more than that. Smaller changes are for `make bench` on a
/// quiet machine to see.
const TOLERANCE: f64 = 1.25;

/// Measures, prints a table, and tells whether all is as it was.
pub(crate) fn run(bench: &Bench) -> Result<bool> {
    let file = bench.repository.join("bench/figures.json");
    let kept = Report::read(&file)?;
    let measured = sections::ratios(bench)?;
    let rows = measured.iter().map(|goal| row(goal, &kept.goals)).collect::<Result<Vec<_>>>()?;
    print(&bench.progress, &rows);
    Ok(rows.iter().all(|row| row.is_kept))
}

struct Row {
    what: String,
    kept: String,
    measured: String,
    most: f64,
    is_kept: bool,
}

fn row(measured: &Goal, kept: &[Goal]) -> Result<Row> {
    let earlier = kept.iter().find(|kept| kept.id == measured.id).and_then(|goal| goal.measured);
    let earlier = earlier.with_context(|| format!("bench/figures.json has no figure for {}", measured.what))?;
    let most = earlier.median * TOLERANCE;
    Ok(Row {
        what: format!("{}, {}", measured.what, measured.unit()),
        kept: shown(&earlier),
        measured: measured.measured_text(),
        most,
        is_kept: is_kept(measured.measured.as_ref(), most),
    })
}

/// Only what is certainly more than it may be is a failure; but no figure at all is one as well.
fn is_kept(measured: Option<&Estimate>, most: f64) -> bool {
    measured.is_some_and(|estimate| estimate.interval[0] <= most)
}

fn print(progress: &Progress, rows: &[Row]) {
    let tolerance = number((TOLERANCE - 1.0) * 100.0);
    progress.print(&format!(
        "A ratio fails if its whole interval is more than {tolerance} % above the one that is kept.\n"
    ));
    let cells = rows.iter().map(|row| {
        let verdict = if row.is_kept { "ok" } else { "FAILED" };
        vec![row.what.clone(), row.kept.clone(), row.measured.clone(), number(row.most), verdict.to_owned()]
    });
    progress.print(&table(&["ratio", "kept", "measured", "at most", ""], cells.collect()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::Id;

    #[test]
    fn only_what_is_certainly_more_fails() {
        let between = |low, high| Estimate { median: high, interval: [low, high], quartiles: [low, high], rounds: 9 };
        assert!(is_kept(Some(&between(1.0, 2.0)), 1.25), "too noisy to say");
        assert!(!is_kept(Some(&between(1.26, 1.3)), 1.25));
        assert!(!is_kept(None, 1.25), "nothing was measured");
    }

    #[test]
    fn a_ratio_is_compared_with_its_own() {
        let estimate = Estimate::exact(1.0);
        let kept = [Goal::new(Id::Baggage, Some(Estimate::exact(2.0))), Goal::new(Id::HundredRules, Some(estimate))];
        assert_eq!(row(&Goal::new(Id::HundredRules, Some(estimate)), &kept).unwrap().most, TOLERANCE);
        assert!(row(&Goal::new(Id::Trace, Some(estimate)), &kept).is_err());
    }
}
