//! What is written to a cluster, in which order, so that no request is lost.
//!
//! A route whose cluster a proxy does not have answers 503, so what is new comes before what names it, and what goes, goes after
//! what named it. Both at once is a change in two passes: first forward, from the clusters to the tagging, in which everything
//! that is wanted comes and nothing goes ([`Pass::Widen`]); then backward, in which what is not wanted goes ([`Pass::Narrow`]).
//! Of a resource that stays, the first pass writes the union of what is there and what is wanted. What both have, with another
//! meaning, gets its new meaning in the first pass: it is never absent, and no name means two things.
//!
//! What is there is read from the cluster, not remembered: so a rollout that was broken off goes on where it was.

mod clusters;
mod resource;
mod union;
mod wave;

use std::collections::{BTreeMap, BTreeSet};

pub use resource::{Id, Resource};
pub use wave::Wave;

use strum::VariantArray;

use clusters::Clusters;

/// A resource that shall be there.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// As it is rendered.
    pub rendered: Resource,
    /// As the server would hold it, with its defaults.
    pub held: Resource,
}

/// What is written at once. The next step waits until every proxy has this one.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which resources it is about.
    pub wave: Wave,
    /// Whether something comes or goes.
    pub pass: Pass,
    /// What is applied, in this order.
    pub apply: Vec<Change>,
    /// What is deleted then, in this order.
    pub delete: Vec<Resource>,
}

/// The direction of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pass {
    /// What is wanted comes.
    Widen,
    /// What is not wanted goes.
    Narrow,
}

/// A resource that is applied.
#[derive(Clone, Debug)]
pub struct Change {
    /// What the server holds before the step.
    pub from: Option<Resource>,
    /// What is applied.
    pub apply: Resource,
    /// What the server holds after the step.
    pub to: Resource,
}

/// The steps from what is there to what is wanted: none if nothing differs. To have nothing is to want nothing.
pub fn plan(there: &[Resource], wanted: &[Wanted]) -> Vec<Step> {
    let clusters = Clusters::of(wanted.iter().map(|wanted| &wanted.held));
    let mut now: BTreeMap<Id, &Resource> = there.iter().map(|resource| (resource.id(), resource)).collect();
    let wide: Vec<(&Wanted, Change)> = wanted
        .iter()
        .map(|wanted| {
            let there = now.get(&wanted.rendered.id()).copied();
            (wanted, widened(there, wanted, &clusters))
        })
        .collect();
    let mut steps: Vec<Step> = Wave::VARIANTS.iter().map(|&wave| widening(wave, &wide)).collect();
    now.extend(wide.iter().map(|(_, change)| (change.to.id(), &change.to)));
    let ids: BTreeSet<Id> = wanted.iter().map(|wanted| wanted.rendered.id()).collect();
    let goes: Vec<&Resource> = there.iter().filter(|resource| !ids.contains(&resource.id())).collect();
    steps.extend(Wave::VARIANTS.iter().rev().map(|&wave| narrowing(wave, &now, &goes, wanted)));
    steps.retain(|step| !step.apply.is_empty() || !step.delete.is_empty());
    steps
}

fn widening(wave: Wave, wide: &[(&Wanted, Change)]) -> Step {
    let of_wave = wide.iter().map(|(_, change)| change).filter(|change| Wave::of(&change.to) == wave);
    let mut apply: Vec<Change> = of_wave.filter(|change| change.differs()).cloned().collect();
    apply.sort_by_key(|change| wave::rank(&change.to));
    Step { wave, pass: Pass::Widen, apply, delete: Vec::new() }
}

fn narrowing(wave: Wave, now: &BTreeMap<Id, &Resource>, goes: &[&Resource], wanted: &[Wanted]) -> Step {
    let narrow = |wanted: &Wanted| {
        let from = now.get(&wanted.rendered.id()).map(|now| (*now).clone());
        Change { from, apply: wanted.rendered.clone(), to: wanted.held.clone() }
    };
    let of_wave = wanted.iter().filter(|wanted| Wave::of(&wanted.held) == wave);
    let mut apply: Vec<Change> = of_wave.map(narrow).filter(Change::differs).collect();
    apply.sort_by_key(|change| wave::rank(&change.to));
    let of_wave = goes.iter().filter(|resource| Wave::of(resource) == wave);
    let mut delete: Vec<Resource> = of_wave.map(|resource| (*resource).clone()).collect();
    delete.sort_by_key(|resource| std::cmp::Reverse(wave::rank(resource)));
    Step { wave, pass: Pass::Narrow, apply, delete }
}

/// What is wanted, with what must stay until nothing names it.
fn widened(there: Option<&Resource>, wanted: &Wanted, clusters: &Clusters) -> Change {
    let (apply, to) = match there.map(|there| union::of(there, &wanted.held, clusters)) {
        Some(union) if !union.holds_the_same(&wanted.held) => (union.as_applied(), union),
        _ => (wanted.rendered.clone(), wanted.held.clone()),
    };
    Change { from: there.cloned(), apply, to }
}

impl Change {
    fn differs(&self) -> bool {
        self.from.as_ref().is_none_or(|from| !from.holds_the_same(&self.to))
    }
}
