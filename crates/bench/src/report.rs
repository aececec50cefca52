//! What a run has measured: for people as Markdown, for programs as JSON.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{goals::Goal, statistics::Estimate};

/// The figures of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Vec<String>,
    pub(crate) goals: Vec<Goal>,
    pub(crate) sections: Vec<Section>,
}

/// What was measured together.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// With their units.
    quantities: Vec<&'static str>,
    /// A cell is `None` if the rounds allow no statement; a row may end early.
    rows: Vec<(&'static str, Vec<Option<Estimate>>)>,
    /// How, and what was left out.
    pub(crate) method: Vec<String>,
}

impl Section {
    pub(crate) fn new(title: &'static str, quantities: &[&'static str], method: &[&str]) -> Self {
        let method = method.iter().map(|line| (*line).to_owned()).collect();
        Self { title, quantities: quantities.to_vec(), rows: Vec::new(), method }
    }

    pub(crate) fn row(&mut self, variant: &'static str, cells: &[Option<Estimate>]) {
        self.rows.push((variant, cells.to_vec()));
    }

    pub(crate) fn table(&self) -> String {
        let row = |(variant, cells): &(&str, Vec<Option<Estimate>>)| {
            [(*variant).to_owned()].into_iter().chain(cells.iter().map(|cell| shown(*cell))).collect()
        };
        table(&[&[""], self.quantities.as_slice()].concat(), self.rows.iter().map(row).collect())
    }
}

impl Report {
    /// Writes `report.md` and `figures.json`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        fs::write(folder.join("figures.json"), serde_json::to_string_pretty(self)? + "\n")?;
        let list = |lines: &[String]| lines.iter().map(|line| format!("- {line}\n")).collect::<String>();
        let section =
            |section: &Section| format!("\n## {}\n\n{}\n{}", section.title, section.table(), list(&section.method));
        let text = format!(
            "# What a lane costs\n\nWritten by `make bench`. A cell is the median of the rounds and, in brackets, the interval \
             that holds the median with a probability of 95 % (order statistics).\n\n{}\n## Goals\n\n{}{}",
            list(&self.machine),
            goals_table(&self.goals),
            self.sections.iter().map(section).collect::<String>()
        );
        Ok(fs::write(folder.join("report.md"), text)?)
    }
}

/// Every goal, with what decided about it.
pub(crate) fn goals_table(goals: &[Goal]) -> String {
    let row = |goal: &Goal| {
        let limit = format!("at most {} {}", number(goal.limit), goal.unit);
        vec![goal.what.clone(), limit, shown(goal.measured), goal.verdict.clone()]
    };
    table(&["what", "goal", "measured", "verdict"], goals.iter().map(row).collect())
}

/// The median with its interval.
pub(crate) fn shown(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "no figure".to_owned(),
        Some(Estimate { median, rounds: 1, .. }) => number(median),
        Some(Estimate { median, interval: [low, high], .. }) => {
            format!("{} ({} to {})", number(median), number(low), number(high))
        }
    }
}

/// Three digits that count; bytes have no fractions.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A Markdown table, aligned: it is read in a terminal, too.
pub(crate) fn table(head: &[&str], mut rows: Vec<Vec<String>>) -> String {
    rows.insert(0, head.iter().map(|cell| (*cell).to_owned()).collect());
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).filter_map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().map(String::as_str).chain(std::iter::repeat("")).zip(&widths);
        cells.map(|(cell, width)| format!("| {cell:<width$} ")).collect::<String>() + "|\n"
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))).collect::<String>() + "|\n");
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_table_of_variants_and_quantities() {
        let mut section = Section::new("Size", &["µs", "bytes"], &[]);
        let between = Estimate { median: 4.44, interval: [4.2, 4.61], rounds: 20 };
        section.row("floor", &[Some(between), Some(Estimate::exact(321.0))]);
        section.row("Lua", &[None]);
        assert_eq!(
            section.table(),
            "|       | µs                  | bytes |\n\
             |-------|---------------------|-------|\n\
             | floor | 4.44 (4.20 to 4.61) | 321   |\n\
             | Lua   | no figure           |       |\n"
        );
    }
}
