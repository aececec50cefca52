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
            wrong: [&sum.wrong[..], &row.wrong].concat(),
            returned_after: sum.returned_after.max(row.returned_after),
            ..row
        };
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22}{:<12}{:>6}{:>9}{:>11}{:>7}{:>20}{:>7}{:>16}",
            "walkthrough",
            "the pod",
            "times",
            "sent",
            "fell back",
            "503",
            "lost (POST, PATCH)",
            "wrong",
            "returned after"
        )?;
        for row in self.0.values() {
            writeln!(
                f,
                "{:<22}{:<12}{:>6}{:>9}{:>11}{:>7}{:>20}{:>7}{:>14.1} s",
                row.walkthrough,
                row.fault,
                row.times,
                row.sent,
                row.fell_back,
                row.refused,
                row.lost,
                row.count_wrong(),
                row.returned_after.as_secs_f64()
            )?;
        }
        let sum = |of: fn(&Row) -> usize| self.0.values().map(of).sum::<usize>();
        let kills = self.0.values().filter(|row| row.fault == Fault::Killed).map(|row| row.times).sum::<usize>();
        write!(
            f,
            "{kills} kills, {} requests sent, {} fell back, {} lost that were not idempotent and under way, {} wrong",
            sum(|row| row.sent),
            sum(|row| row.fell_back),
            sum(|row| row.lost),
            sum(Row::count_wrong)
        )
    }
}
