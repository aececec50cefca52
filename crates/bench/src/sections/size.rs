//! The modules' files.

use std::path::Path;

use anyhow::Result;

use crate::{
    bench::{Bench, Filter, size},
    goals::{Goal, Id},
    report::Section,
    statistics::Estimate,
};

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let mut section =
        Section::new("size", "Size of the modules", &["Bytes of the file, neither compressed nor compiled"]);
    let mut goals = Vec::new();
    let bytes = |path: &Path| Ok::<_, anyhow::Error>(Some(Estimate::exact(size(path)? as f64)));
    let goal_of = [
        (Filter::HashTagging, Id::HashTaggingSize),
        (Filter::BaggagePropagation, Id::BaggageSize),
        (Filter::TracePropagation, Id::TraceSize),
    ];
    for (filter, id) in goal_of {
        let release = bytes(&bench.modules.release(filter))?;
        section.add(filter.name(), "module, bytes", release);
        goals.push(Goal::new(id, release));
    }
    for (name, path) in [("floor", bench.modules.floor()), ("plain SDK build, of one rule", bench.modules.sdk())] {
        section.add(name, "module, bytes", bytes(&path)?);
    }
    Ok((section, goals))
}
