//! Who reached what, and whether that was to be expected.

use crate::console;

#[derive(Default)]
pub(super) struct Table(Vec<Row>);

pub(super) struct Row {
    pub(super) user: &'static str,
    pub(super) bucket: String,
    pub(super) lane: String,
    pub(super) chain: String,
    pub(super) why: String,
    /// The published chain.
    pub(super) expected: &'static str,
}

impl Table {
    pub(super) fn row(&mut self, row: Row) {
        self.0.push(row);
    }

    pub(super) fn is_as_expected(&self) -> bool {
        self.0.iter().all(Row::is_as_expected)
    }

    pub(super) fn print(&self) {
        console::say(&format!("  {:8} {:>6}  {:5} {:16} {:45} expected", "user", "bucket", "lane", "mocka,b,c", "why"));
        for row in &self.0 {
            let Row { user, bucket, lane, chain, why, expected } = row;
            let line = format!("{user:8} {bucket:>6}  {lane:5} {chain:16} {why:45} {expected}");
            console::verdict(row.is_as_expected(), &line, &line);
        }
    }
}

impl Row {
    fn is_as_expected(&self) -> bool {
        self.chain == self.expected
    }
}
