//! The modules' files.

use std::path::Path;

use anyhow::Result;

use crate::{
    bench::{Bench, Filter, size},
    goals::Goal,
    report::Section,
    statistics::Estimate,
};

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let mut section =
        Section::new("size", "Size of the modules", &["Bytes of the file, neither compressed nor compiled"]);
    let mut goals = Vec::new();
    let bytes = |path: &Path| Ok::<_, anyhow::Error>(Some(Estimate::exact(size(path)? as f64)));
    for filter in Filter::ALL {
        let release = bytes(&bench.modules.release(filter))?;
        section.add(filter.name(), "module, bytes", release);
        goals.push(Goal::size(filter.name(), release));
    }
    for (name, path) in [("floor", bench.modules.floor()), ("plain SDK build, of one rule", bench.modules.sdk())] {
        section.add(name, "module, bytes", bytes(&path)?);
    }
    Ok((section, goals))
}
