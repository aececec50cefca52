//! How the cost of a request grows with what it is asked to do.

use anyhow::Result;

use super::ADDED;
use crate::{
    bench::Bench,
    goals::{Goal, Id},
    proxy::Way,
    report::Section,
    simultaneous::{self, Costs},
    statistics::{Estimate, ratio},
    subject::Subject,
    subjects::{
        NONE, NONE_TAGGED, RELEASE, baggage_members, bare_both_ways, bare_user, policies_of, rules_of, trace_ids,
    },
};

const RULES: [(&str, u32); 3] = [("1 rule", 1), ("10 rules", 10), ("100 rules", 100)];
const POLICIES: [(&str, u32); 3] = [("1 policy", 1), ("10 policies", 10), ("1000 policies", 1000)];
const TO_FIRST: &str = "× the first";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let mut section = Section::new("growth", "More to do", &[simultaneous::METHOD]);
    section.method.push(
        "All rules but the last choose one user in 100000 each. Of the baggage, the last member is read. Ids come one after the \
         other; of a million, the table remembers 16384"
            .to_owned(),
    );
    section.method.push(
        "Workers: all cores, which the generator shares; each number of workers is compared with as many without a filter".to_owned(),
    );
    section.plotted = vec![ADDED];
    let goal = rules(bench, &mut section)?;
    baggage(bench, &mut section)?;
    ids(bench, &mut section)?;
    workers(bench, &mut section)?;
    Ok((section, vec![goal]))
}

/// The goal only.
pub(super) fn check(bench: &Bench) -> Result<Vec<Goal>> {
    Ok(vec![goal(&measure_rules(bench)?)?])
}

fn rules(bench: &Bench, section: &mut Section) -> Result<Goal> {
    let costs = measure_rules(bench)?;
    add(section, &costs, &RULES.map(|(name, _)| (name, NONE)))?;
    add(section, &costs, &POLICIES.map(|(name, _)| (name, NONE)))?;
    goal(&costs)
}

fn measure_rules(bench: &Bench) -> Result<Costs> {
    let mut subjects = vec![bare_user()];
    for (name, number) in RULES {
        subjects.push(rules_of(bench, name, number)?);
    }
    for (name, number) in POLICIES {
        subjects.push(policies_of(bench, name, number)?);
    }
    simultaneous::measure(bench, "growth, rules and policies", &subjects)
}

fn goal(costs: &Costs) -> Result<Goal> {
    let [(one, _), _, (hundred, _)] = RULES;
    Ok(Goal::new(Id::HundredRules, costs.ratio((hundred, NONE), (one, NONE))?))
}

fn baggage(bench: &Bench, section: &mut Section) -> Result<()> {
    let members =
        [("1 member", "1, no filter", 1), ("8 members", "8, no filter", 8), ("64 members", "64, no filter", 64)];
    let subjects = members.iter().flat_map(|(name, baseline, number)| baggage_members(bench, name, baseline, *number));
    let subjects: Vec<Subject> = subjects.collect();
    let costs = simultaneous::measure(bench, "growth, baggage", &subjects)?;
    add(section, &costs, &members.map(|(name, baseline, _)| (name, baseline)))
}

fn ids(bench: &Bench, section: &mut Section) -> Result<()> {
    let inbound = [("1 id, inbound", 1), ("1000 ids, inbound", 1000), ("1000000 ids, inbound", 1_000_000)];
    let outbound = [("1 id, outbound", 1), ("1000 ids, outbound", 1000), ("1000000 ids, outbound", 1_000_000)];
    let mut subjects = bare_both_ways().to_vec();
    subjects.extend(inbound.iter().map(|(name, number)| trace_ids(bench, name, Way::Inbound, *number)));
    subjects.extend(outbound.iter().map(|(name, number)| trace_ids(bench, name, Way::Outbound, *number)));
    let costs = simultaneous::measure(bench, "growth, ids", &subjects)?;
    add(section, &costs, &inbound.map(|(name, _)| (name, NONE_TAGGED)))?;
    add(section, &costs, &outbound.map(|(name, _)| (name, NONE)))
}

/// With as many workers as there are cores, up to four.
fn workers(bench: &Bench, section: &mut Section) -> Result<()> {
    let most = u32::try_from(bench.cores.all.len()).unwrap_or(4).min(4);
    for workers in 1..=most {
        let mut subjects = vec![bare_user(), rules_of(bench, RELEASE, 1)?];
        subjects.iter_mut().for_each(|subject| subject.proxy.workers = workers);
        let step = format!("growth, {workers} workers");
        let costs = bench
            .cores
            .everywhere(|| simultaneous::measure_by(bench, &step, &subjects, |subject| subject.start_here(bench)))?;
        let name = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
        section.add(&name, ADDED, Estimate::of(&costs.added(RELEASE, NONE)?));
    }
    Ok(())
}

/// Subjects with their baselines, compared with the first of them.
fn add(section: &mut Section, costs: &Costs, pairs: &[(&str, &str)]) -> Result<()> {
    let mut first: Option<Vec<f64>> = None;
    for (name, baseline) in pairs {
        let added = costs.added(name, baseline)?;
        section.add(name, ADDED, Estimate::of(&added));
        if let Some(first) = &first {
            section.add(name, TO_FIRST, ratio(&added, first));
        }
        first.get_or_insert(added);
    }
    Ok(())
}
