//! Each filter by itself, and all in one proxy.

use anyhow::Result;

use super::{ADDED, TO_FLOOR};
use crate::{
    bench::Bench,
    goals::{Goal, Id},
    report::Section,
    simultaneous::{self, Costs},
    statistics::{Estimate, ratio},
    subjects::{ALL, BAGGAGE, FLOOR, HASH_TAGGING, NONE, NONE_TAGGED, TRACE_INBOUND, TRACE_OUTBOUND, filters},
};

const REQUESTS: &str = "All requests have the same headers: a user, a trace id (one of 1000 each) and baggage of three members; \
     those that come in have a tag, too, and a baseline of their own. All three: hash tagging, one member read, the tag \
     remembered";
const STEP: &str = "filters, CPU";
const BOTH: &str = "trace propagation, both";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let costs = simultaneous::measure(bench, STEP, &filters(bench)?)?;
    let mut section = Section::new("filters", "Each filter, and all in one proxy", &[simultaneous::METHOD, REQUESTS]);
    section.plotted = vec![ADDED];
    let floor = costs.added(FLOOR, NONE)?;
    let mut add = |name, added: &[f64]| {
        section.add(name, ADDED, Estimate::of(added));
        section.add(name, TO_FLOOR, ratio(added, &floor));
    };
    for name in [FLOOR, HASH_TAGGING, BAGGAGE, TRACE_INBOUND, TRACE_OUTBOUND] {
        let baseline = if name == TRACE_INBOUND { NONE_TAGGED } else { NONE };
        add(name, &costs.added(name, baseline)?);
    }
    add(BOTH, &both_ways(&costs)?);
    add(ALL, &costs.added(ALL, NONE)?);
    Ok((section, goals(&costs)?))
}

/// The goals only.
pub(super) fn check(bench: &Bench) -> Result<Vec<Goal>> {
    goals(&simultaneous::measure(bench, STEP, &filters(bench)?)?)
}

fn goals(costs: &Costs) -> Result<Vec<Goal>> {
    let floor = costs.added(FLOOR, NONE)?;
    let baggage = ratio(&costs.added(BAGGAGE, NONE)?, &floor);
    let trace = ratio(&both_ways(costs)?, &floor);
    Ok(vec![Goal::new(Id::Baggage, baggage), Goal::new(Id::Trace, trace)])
}

/// What trace propagation costs a request that comes in and causes one that goes out.
fn both_ways(costs: &Costs) -> Result<Vec<f64>> {
    let (inbound, outbound) = (costs.added(TRACE_INBOUND, NONE_TAGGED)?, costs.added(TRACE_OUTBOUND, NONE)?);
    Ok(inbound.iter().zip(&outbound).map(|(inbound, outbound)| inbound + outbound).collect())
}
