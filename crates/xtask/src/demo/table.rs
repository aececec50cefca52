//! Who reached what, and whether that was to be expected.

use crate::console;

/// Cells under the names of their columns, and at the end of each row what was expected.
pub(super) struct Table<const N: usize> {
    columns: [&'static str; N],
    rows: Vec<Row<N>>,
}

struct Row<const N: usize> {
    cells: [String; N],
    expected: String,
    is_as_expected: bool,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(columns: [&'static str; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: [String; N], expected: impl Into<String>, is_as_expected: bool) {
        self.rows.push(Row { cells, expected: expected.into(), is_as_expected });
    }

    pub(super) fn is_as_expected(&self) -> bool {
        self.rows.iter().all(|row| row.is_as_expected)
    }

    pub(super) fn print(&self) {
        let columns = self.columns.map(str::to_owned);
        console::say(&format!("  {}expected", self.line(&columns)));
        for Row { cells, expected, is_as_expected } in &self.rows {
            let line = format!("{}{expected}", self.line(cells));
            console::verdict(*is_as_expected, &line, &line);
        }
    }

    /// Every cell as wide as the widest of its column; numbers to the right.
    fn line(&self, cells: &[String; N]) -> String {
        let mut line = String::new();
        for (number, cell) in cells.iter().enumerate() {
            let column = || self.rows.iter().filter_map(|row| row.cells.get(number));
            let name = self.columns.get(number).map_or(0, |name| name.len());
            let width = column().map(String::len).fold(name, usize::max);
            if column().all(|cell| cell.parse::<f64>().is_ok()) {
                line += &format!("{cell:>width$}  ");
            } else {
                line += &format!("{cell:width$}  ");
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["user", "bucket", "why"]);
        table.row(["jessie", "2", "below 20"].map(str::to_owned), "v1", true);

        assert_eq!(table.line(&table.columns.map(str::to_owned)), "user    bucket  why       ");
        assert_eq!(
            table.rows.iter().map(|row| table.line(&row.cells)).collect::<String>(),
            "jessie       2  below 20  "
        );
    }

    #[test]
    fn one_unexpected_row_is_enough() {
        let mut table = Table::new(["lane"]);
        table.row(["s1".to_owned()], "v1", true);
        assert!(table.is_as_expected());
        table.row(["s2".to_owned()], "v2", false);
        assert!(!table.is_as_expected());
    }
}
