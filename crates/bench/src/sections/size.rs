//! The modules' files.

use std::path::Path;

use anyhow::{Context, Result};

use super::FLOOR;
use crate::{
    bench::{Bench, Filter},
    goals::{self, Goal},
    report::Section,
    statistics::Estimate,
};

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let method = "Of the file, neither compressed nor compiled";
    let mut section = Section::new("Size of the modules", &["bytes"], &[method]);
    let mut goals = Vec::new();
    for (filter, limit) in Filter::ALL.into_iter().zip(goals::SIZES) {
        let size = size(&bench.release(filter))?;
        section.row(filter.name(), &[size]);
        goals.push(limit.goal(size));
    }
    section.row("hash-tagging, plain SDK build", &[size(&bench.programs.plain)?]);
    section.row(FLOOR, &[size(bench.floor.path())?]);
    Ok((section, goals))
}

fn size(path: &Path) -> Result<Option<Estimate>> {
    let bytes = path.metadata().with_context(|| path.display().to_string())?.len();
    Ok(Some(Estimate::exact(bytes as f64)))
}
