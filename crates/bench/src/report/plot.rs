//! A bar for each subject, with its interval.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::Section;
use crate::statistics::Estimate;

const WIDTH: u32 = 760;
const ROW: u32 = 34;
const MARGINS: u32 = 90;
const BAR: RGBColor = RGBColor(76, 120, 168);

/// Such as `hash-tagging-added-cpu.svg`.
pub(super) fn file_name(section: &str, quantity: &str) -> String {
    let words = quantity.split(',').next().unwrap_or(quantity).to_lowercase().replace(' ', "-");
    format!("{section}-{words}.svg")
}

/// Draws one quantity of all subjects that have it.
pub(super) fn write(path: &Path, section: &Section, quantity: &str) -> Result<()> {
    let figures = section.figures.iter().filter(|figure| figure.quantity == quantity);
    let bars: Vec<(&str, Estimate)> =
        figures.filter_map(|figure| Some((figure.subject.as_str(), figure.estimate?))).collect();
    if bars.is_empty() {
        return Ok(());
    }
    // From top to bottom; the axis grows upwards.
    let bars: Vec<_> = bars.into_iter().rev().collect();
    draw(path, &section.title, quantity, &bars).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn draw(path: &Path, title: &str, quantity: &str, bars: &[(&str, Estimate)]) -> Result<(), Box<dyn std::error::Error>> {
    let rows = u32::try_from(bars.len())?;
    let root = SVGBackend::new(path, (WIDTH, ROW * rows + MARGINS)).into_drawing_area();
    // A background of its own: the reader's may be dark.
    root.fill(&WHITE)?;
    let longest = bars.iter().map(|(_, bar)| bar.interval[1].max(bar.median)).fold(0.0, f64::max);
    let lowest = bars.iter().map(|(_, bar)| bar.interval[0]).fold(0.0, f64::min);
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(220)
        .build_cartesian_2d(lowest * 1.05..longest * 1.05, (0..rows - 1).into_segmented())?;
    let name = |row: &SegmentValue<u32>| match row {
        SegmentValue::CenterOf(row) => bars.get(*row as usize).map_or("", |(name, _)| name).to_owned(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_max_light_lines(1)
        .y_labels(bars.len())
        .y_label_formatter(&name)
        .x_desc(quantity)
        .label_style(("sans-serif", 13))
        .draw()?;
    for (row, (_, bar)) in (0..rows).zip(bars) {
        let corners = [(0.0, SegmentValue::Exact(row)), (bar.median, SegmentValue::Exact(row + 1))];
        let mut shape = Rectangle::new(corners, BAR.filled());
        shape.set_margin(7, 7, 0, 0);
        chart.draw_series([shape])?;
        let [low, high] = bar.interval.map(|end| (end, SegmentValue::CenterOf(row)));
        chart.draw_series([PathElement::new(vec![low, high], BLACK.stroke_width(2))])?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_names_every_subject_that_has_a_figure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file_name("hash-tagging", "added CPU, µs"));
        assert!(path.ends_with("hash-tagging-added-cpu.svg"));
        let mut section = Section::new("hash-tagging", "Hash tagging", &[]);
        let estimate = Estimate { median: 4.4, interval: [4.2, 4.6], quartiles: [4.3, 4.5], rounds: 20 };
        section.add("floor", "added CPU, µs", Some(estimate));
        section.add("Lua", "added CPU, µs", Some(estimate));
        section.add("noisy", "added CPU, µs", None);
        write(&path, &section, "added CPU, µs").unwrap();
        let svg = std::fs::read_to_string(path).unwrap();
        assert!(svg.contains("floor") && svg.contains("Lua") && svg.contains("added CPU, µs"), "{svg}");
        assert!(!svg.contains("noisy"));
    }
}
