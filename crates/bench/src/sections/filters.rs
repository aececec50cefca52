//! Each filter by itself, and all in one proxy.

use anyhow::Result;

use super::{ADDED, TO_FLOOR};
use crate::{
    bench::Bench,
    goals::{Goal, Id},
    report::Section,
    simultaneous,
    statistics::{Estimate, ratio},
    subjects::{ALL, BAGGAGE, FLOOR, HASH_TAGGING, NONE, NONE_TAGGED, TRACE_INBOUND, TRACE_OUTBOUND, filters},
};

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let costs = simultaneous::measure(bench, "filters, CPU", filters(bench)?)?;
    let mut section = Section::new("filters", "Each filter, and all in one proxy", &[simultaneous::METHOD]);
    section.method.push(
        "All requests have the same headers: a user, a trace id (one of 1000 each) and baggage of three members; those that \
         come in have a tag, too, and a baseline of their own. All three: hash tagging, one member read, the tag remembered"
            .to_owned(),
    );
    section.plotted = vec![ADDED];
    let floor = costs.added(FLOOR, NONE)?;
    for name in [FLOOR, HASH_TAGGING, BAGGAGE, TRACE_INBOUND, TRACE_OUTBOUND, ALL] {
        let baseline = if name == TRACE_INBOUND { NONE_TAGGED } else { NONE };
        let added = costs.added(name, baseline)?;
        section.add(name, ADDED, Estimate::of(&added));
        section.add(name, TO_FLOOR, ratio(&added, &floor));
    }
    let baggage = costs.ratio((BAGGAGE, NONE), (FLOOR, NONE))?;
    let inbound = costs.added(TRACE_INBOUND, NONE_TAGGED)?;
    let outbound = costs.added(TRACE_OUTBOUND, NONE)?;
    let both: Vec<f64> = inbound.iter().zip(&outbound).map(|(inbound, outbound)| inbound + outbound).collect();
    let trace = ratio(&both, &floor);
    section.add("trace propagation, both", ADDED, Estimate::of(&both));
    section.add("trace propagation, both", TO_FLOOR, trace);
    Ok((section, vec![Goal::new(Id::Baggage, baggage), Goal::new(Id::Trace, trace)]))
}
