//! One rule, in every way that there is to have it.

use anyhow::Result;

use super::{ADDED, TO_FLOOR};
use crate::{
    bench::Bench,
    goals::{Goal, Id},
    latency::{self, Entrance, Quantile},
    load::Upstream,
    report::Section,
    simultaneous::{self, Costs},
    statistics::Estimate,
    subject::{Running, Subject},
    subjects::{
        CONSISTENT_HASHING, FLOOR, FLOOR_TOLD, FORWARDED, HEADER_TO_METADATA, LUA, NONE, PLAIN, RELEASE, WEIGHTED,
        hash_tagging,
    },
    verdict::Order,
};

const FORWARDING: &str = "Weighted clusters choose an upstream and change nothing that could be answered without one: two Envoys that \
     forward, one of them to weighted clusters, are compared with each other. They have no latency figure, because the \
     upstream runs on the generator's core";
const COPIES: &str =
    "header_to_metadata has no hash: it copies the user into metadata, and is here for what a native filter costs";

const TOLD: &str = "The floor that is told of streams has one callback more, which does nothing: by it a module learns which plug-in a \
     stream belongs to. Without it, it could serve only one, and never another configuration while streams of the last are open";

const STEP: &str = "hash tagging, CPU";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let subjects = hash_tagging(bench, Upstream::start()?.address)?;
    let costs = simultaneous::measure(bench, STEP, &subjects)?;

    let mut section =
        Section::new("hash-tagging", "One rule, 20 % of the users", &[simultaneous::METHOD, TOLD, FORWARDING, COPIES]);
    section.plotted = vec![ADDED, "p99, µs"];
    section.add(NONE, "CPU, µs per request", Estimate::of(costs.of(NONE)?));
    for name in [FLOOR, FLOOR_TOLD, LUA, PLAIN, RELEASE, HEADER_TO_METADATA, CONSISTENT_HASHING, WEIGHTED] {
        let baseline = if name == WEIGHTED { FORWARDED } else { NONE };
        let to_floor = costs.ratio((name, baseline), (FLOOR, NONE))?;
        let to_lua = costs.ratio((name, baseline), (LUA, NONE))?;
        section.add(name, "CPU, µs per request", Estimate::of(costs.of(name)?));
        section.add(name, ADDED, Estimate::of(&costs.added(name, baseline)?));
        section.add(name, TO_FLOOR, to_floor);
        section.add(name, "× Lua", to_lua);
        if name == RELEASE {
            section
                .method
                .push(format!("Against Lua, the release module costs: {}", Order::of_ratio(to_lua.as_ref()).text()));
        }
    }
    section.add(FORWARDED, "CPU, µs per request", Estimate::of(costs.of(FORWARDED)?));
    latencies(bench, &subjects, &mut section)?;
    Ok((section, goals(&costs)?))
}

/// The goals only.
pub(super) fn check(bench: &Bench) -> Result<Vec<Goal>> {
    goals(&simultaneous::measure(bench, STEP, &hash_tagging(bench, Upstream::start()?.address)?)?)
}

fn goals(costs: &Costs) -> Result<Vec<Goal>> {
    let to = |reference| costs.ratio((RELEASE, NONE), (reference, NONE));
    Ok(vec![Goal::new(Id::HashTaggingToFloor, to(FLOOR)?), Goal::new(Id::HashTaggingToLua, to(LUA)?)])
}

fn latencies(bench: &Bench, subjects: &[Subject], section: &mut Section) -> Result<()> {
    let alone = subjects.iter().filter(|subject| ![FORWARDED, WEIGHTED].contains(&subject.name.as_str()));
    let running = alone.cloned().map(|subject| subject.start(bench)).collect::<Result<Vec<_>>>()?;
    let entrance = |running: &Running| {
        let Subject { name, request, .. } = running.subject.clone();
        Ok(Entrance { name, address: running.address()?, request })
    };
    let entrances = running.iter().map(entrance).collect::<Result<Vec<_>>>()?;
    let latencies = latency::measure(bench, "hash tagging, latency", bench.pace.latency, &entrances)?;
    for Entrance { name, .. } in &entrances {
        section.add(name, "p50, µs", latencies.of(name, Quantile::Half));
        section.add(name, "p99, µs", latencies.of(name, Quantile::P99));
        if name != NONE {
            section.add(name, "p99 × no filter", latencies.ratio(name, NONE, Quantile::P99));
        }
    }
    section.method.push(latencies.method());
    Ok(())
}
