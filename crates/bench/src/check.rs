//! `make bench-check`: the ratios that have goals, against those that are kept in the repository.

use anyhow::{Context, Result};

use crate::{
    bench::Bench,
    goals::{Goal, Id},
    progress::Progress,
    report::{Report, number, shown},
    simultaneous,
    statistics::{Estimate, ratio},
    subjects::{
        BAGGAGE, FLOOR, HASH_TAGGING, HUNDRED_RULES, LUA, NONE, NONE_TAGGED, TRACE_INBOUND, TRACE_OUTBOUND, checked,
    },
};

/// How much larger than the one that is kept a ratio may be. Ratios of whole runs on one machine differ by up to a tenth, and
/// the middle half of the rounds of one run lies within 15 % of its median; other machines differ in what a host call costs
/// beside what a module does by itself. What is worth noticing, one more host call or an allocation for each request, is more.
const TOLERANCE: f64 = 1.25;

/// Measures, prints a table, and tells whether all is as it was.
pub(crate) fn run(bench: &Bench) -> Result<bool> {
    let file = bench.repository.join("bench/figures.json");
    let kept = Report::read(&file)?;
    let measured = measure(bench)?;
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

fn measure(bench: &Bench) -> Result<Vec<Goal>> {
    let costs = simultaneous::measure(bench, "bench-check", checked(bench)?)?;
    let floor = costs.added(FLOOR, NONE)?;
    let trace = costs.added(TRACE_INBOUND, NONE_TAGGED)?.into_iter().zip(costs.added(TRACE_OUTBOUND, NONE)?);
    let trace: Vec<f64> = trace.map(|(inbound, outbound)| inbound + outbound).collect();
    let one = (HASH_TAGGING, NONE);
    Ok(vec![
        Goal::new(Id::HashTaggingToFloor, costs.ratio(one, (FLOOR, NONE))?),
        Goal::new(Id::HashTaggingToLua, costs.ratio(one, (LUA, NONE))?),
        Goal::new(Id::HundredRules, costs.ratio((HUNDRED_RULES, NONE), one)?),
        Goal::new(Id::Baggage, costs.ratio((BAGGAGE, NONE), (FLOOR, NONE))?),
        Goal::new(Id::Trace, ratio(&trace, &floor)),
    ])
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
    progress.print(&crate::report::table(&["ratio", "kept", "measured", "at most", ""], cells.collect()));
}

#[cfg(test)]
mod tests {
    use super::*;

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
