//! What came of the faults.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::fault::Fault;

/// Faults of a kind in a walkthrough.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) walkthrough: &'static str,
    pub(crate) fault: Fault,
    pub(crate) times: usize,
    /// Requests of all lanes.
    pub(crate) sent: usize,
    /// Those that the baseline answered in the pod's place.
    pub(crate) fell_back: usize,
    /// Those answered with 503, because nothing falls back.
    pub(crate) refused: usize,
    /// Those that are not idempotent and had been sent to the pod.
    pub(crate) lost: usize,
    /// Those, of any method, that waited for a pod that hung, until the route's timeout.
    pub(crate) timed_out: usize,
    /// How many came to what must not be.
    pub(crate) wrong: Vec<(usize, String)>,
    /// From the end of the fault to the first request that reaches the pod; the longest.
    pub(crate) returned_after: Duration,
}

impl Row {
    fn count_wrong(&self) -> usize {
        self.wrong.iter().map(|(count, _)| count).sum()
    }
}

/// Rows by walkthrough and fault.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<(&'static str, Fault), Row>);

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        let sum = self.0.entry((row.walkthrough, row.fault)).or_default();
        *sum = Row {
            times: sum.times + row.times,
            sent: sum.sent + row.sent,
            fell_back: sum.fell_back + row.fell_back,
            refused: sum.refused + row.refused,
            lost: sum.lost + row.lost,
            timed_out: sum.timed_out + row.timed_out,
            wrong: [&sum.wrong[..], &row.wrong].concat(),
            returned_after: sum.returned_after.max(row.returned_after),
            ..row
        };
    }
}

/// In Markdown: `make chaos` writes it into the documentation.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| walkthrough | the pod | times | sent | fell back | 503, for want of a fallback | lost: POST, PATCH | lost: timed out, any method | wrong | back after |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for row in self.0.values() {
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} s |",
                row.walkthrough,
                row.fault,
                row.times,
                row.sent,
                row.fell_back,
                row.refused,
                row.lost,
                row.timed_out,
                row.count_wrong(),
                row.returned_after.as_secs_f64()
            )?;
        }
        let sum = |of: fn(&Row) -> usize| self.0.values().map(of).sum::<usize>();
        writeln!(
            f,
            "| all | | {} | {} | {} | {} | {} | {} | {} | |",
            sum(|row| row.times),
            sum(|row| row.sent),
            sum(|row| row.fell_back),
            sum(|row| row.refused),
            sum(|row| row.lost),
            sum(|row| row.timed_out),
            sum(Row::count_wrong)
        )
    }
}
