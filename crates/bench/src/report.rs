//! What a run has measured: for people as Markdown and plots, for the next run as JSON.

mod markdown;
mod plot;

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{goals::Goal, machine::Machine, statistics::Estimate};

pub(crate) use self::markdown::{goals_table, number, shown, table};

/// The figures of a run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) goals: Vec<Goal>,
    pub(crate) sections: Vec<Section>,
}

/// What was measured together.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Section {
    /// As `--only` knows it.
    pub(crate) name: String,
    pub(crate) title: String,
    /// How, quantity by quantity where that differs, and what was left out.
    pub(crate) method: Vec<String>,
    pub(crate) figures: Vec<Figure>,
    /// The quantities that are worth a plot.
    #[serde(skip)]
    pub(crate) plotted: Vec<&'static str>,
}

/// One quantity of one subject: a cell of the section's table.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Figure {
    pub(crate) subject: String,
    /// With its unit.
    pub(crate) quantity: String,
    /// None if the rounds allow no statement.
    pub(crate) estimate: Option<Estimate>,
}

impl Section {
    pub(crate) fn new(name: &str, title: &str, method: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            method: method.iter().map(|line| (*line).to_owned()).collect(),
            figures: Vec::new(),
            plotted: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, subject: &str, quantity: &str, estimate: Option<Estimate>) {
        self.figures.push(Figure { subject: subject.to_owned(), quantity: quantity.to_owned(), estimate });
    }

    /// The table, as Markdown.
    pub(crate) fn table(&self) -> String {
        markdown::section_table(self)
    }
}

impl Report {
    /// Writes `report.md`, `figures.json` and a plot for each quantity that is worth one.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let mut plots = Vec::new();
        for section in &self.sections {
            for quantity in &section.plotted {
                let file = plot::file_name(&section.name, quantity);
                plot::write(&folder.join(&file), section, quantity)?;
                plots.push((section.name.clone(), file));
            }
        }
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| path.display().to_string())
        };
        write("report.md", markdown::report(self, &plots))?;
        write("figures.json", serde_json::to_string_pretty(self)? + "\n")
    }

    /// The figures of an earlier run.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("{}: run `make bench` first", path.display()))?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }
}
