//! Tables that read well in a terminal, too.

use super::{Report, Section};
use crate::{goals::Goal, statistics::Estimate};

/// The whole report.
pub(super) fn report(report: &Report, plots: &[(String, String)]) -> String {
    let mut text = format!(
        "# What a lane costs\n\nWritten by `make bench`. A cell is the median of the rounds and, in brackets, the interval that \
         holds the median with a probability of 95 % (order statistics).\n\n{}\n## Goals\n\n{}",
        report.machine.lines(),
        goals_table(&report.goals)
    );
    for section in &report.sections {
        text += &format!("\n## {}\n\n", section.title);
        text += &section.table();
        text += &section.method.iter().map(|line| format!("\n- {line}.")).collect::<String>();
        text.push('\n');
        for (_, file) in plots.iter().filter(|(name, _)| *name == section.name) {
            text += &format!("\n![{}]({file})\n", section.title);
        }
    }
    text
}

/// Every goal, with what decided about it.
pub(crate) fn goals_table(goals: &[Goal]) -> String {
    let rows = goals
        .iter()
        .map(|goal| vec![goal.what.clone(), goal.limit_text(), goal.measured_text(), goal.verdict.text().to_owned()]);
    table(&["what", "goal", "measured", "verdict"], rows.collect())
}

/// A row for each subject, a column for each quantity.
pub(super) fn section_table(section: &Section) -> String {
    let (mut subjects, mut quantities) = (Vec::new(), Vec::new());
    for figure in &section.figures {
        add(&mut subjects, figure.subject.as_str());
        add(&mut quantities, figure.quantity.as_str());
    }
    let cell = |subject: &str, quantity: &str| {
        let found = section.figures.iter().find(|figure| figure.subject == subject && figure.quantity == quantity);
        found.map_or_else(String::new, |figure| figure.estimate.as_ref().map_or("no figure".to_owned(), shown))
    };
    let row = |subject: &str| {
        let cells = quantities.iter().map(|quantity| cell(subject, quantity));
        [subject.to_owned()].into_iter().chain(cells).collect()
    };
    let rows = subjects.iter().map(|subject| row(subject)).collect();
    table(&[&[""], quantities.as_slice()].concat(), rows)
}

/// The median with its interval.
pub(crate) fn shown(estimate: &Estimate) -> String {
    let [low, high] = estimate.interval;
    if estimate.rounds == 1 {
        return number(estimate.median);
    }
    format!("{} ({} to {})", number(estimate.median), number(low), number(high))
}

/// Three digits that count; bytes and requests have no fractions.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn add<'a>(list: &mut Vec<&'a str>, text: &'a str) {
    if !list.contains(&text) {
        list.push(text);
    }
}

/// A Markdown table, aligned.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("| {cell:<width$} "));
        cells.collect::<String>() + "|\n"
    };
    let rule: String = widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))).collect();
    line(&head) + &rule + "|\n" + &rows.iter().map(|row| line(row)).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_table_of_subjects_and_quantities() {
        let mut section = Section::new("size", "Size", &[]);
        let between = Estimate { median: 4.44, interval: [4.2, 4.61], quartiles: [4.3, 4.5], rounds: 20 };
        section.add("floor", "µs", Some(between));
        section.add("floor", "bytes", Some(Estimate::exact(321.0)));
        section.add("Lua", "µs", None);
        assert_eq!(
            section.table(),
            "|       | µs                  | bytes |\n\
             |-------|---------------------|-------|\n\
             | floor | 4.44 (4.20 to 4.61) | 321   |\n\
             | Lua   | no figure           |       |\n"
        );
    }

    #[test]
    fn a_number_has_three_digits_that_count() {
        let shown: Vec<String> = [0.954, 1.0, 12.34, 143_000.4].into_iter().map(number).collect();
        assert_eq!(shown, ["0.95", "1.00", "12.3", "143000"]);
    }
}
