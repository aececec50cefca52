//! How users distribute over lanes, and who moves when that changes.

use std::collections::BTreeMap;

use hash_tagging::{Reason, Tagger};
use plugin_config::Refused;
use serde::Serialize;

use crate::{
    document::{LaneGroup, Users},
    tagging,
};

/// Which lane each user is in, as the filter decides it.
#[derive(Debug)]
pub struct Assignment {
    tagger: Tagger,
    baseline: String,
    lanes: Vec<String>,
}

/// How many users each lane got.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Spread {
    /// All of them.
    pub users: u64,
    /// By lane, in the order of the lane group.
    pub lanes: BTreeMap<String, u64>,
    /// Users who are named, whatever their hash.
    pub named: u64,
    /// How many users fell into each of up to a hundred equal parts of the buckets.
    pub parts: Vec<u64>,
}

/// How many users go from one lane to another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Move {
    /// The lane before.
    pub from: String,
    /// The lane after.
    pub to: String,
}

/// The most parts that a spread is counted in.
const PARTS: u32 = 100;

// === impl Assignment ===

impl Assignment {
    /// The assignment of a lane group; `None` if users are not what lanes are assigned by.
    ///
    /// # Errors
    /// The lane group gives a configuration that the filter refuses, which a valid one never does.
    pub fn of(group: &LaneGroup) -> Result<Option<Self>, Refused> {
        let Some(config) = tagging::plugin_config(&group.spec) else { return Ok(None) };
        let lanes = group.spec.lanes.iter().map(|lane| lane.name.clone()).collect();
        let tagger = Tagger::parse(config.to_string().as_bytes())?;
        Ok(Some(Self { tagger, baseline: group.spec.baseline.clone(), lanes }))
    }

    /// The lane of a user, the bucket if the hash was asked, and the number of buckets.
    pub fn lane(&self, user: &[u8]) -> (&str, Option<u32>, u32) {
        let Some(rule) = self.tagger.rules().first() else { return (&self.baseline, None, 1) };
        let decision = self.tagger.decide(rule, user);
        let tag = decision.tag.map(|tag| tag.as_bytes());
        let lane = self.lanes.iter().find(|lane| Some(lane.as_bytes()) == tag);
        let bucket = decision.bucket.filter(|_| decision.reason == Reason::Hash);
        (lane.unwrap_or(&self.baseline), bucket, rule.modulo())
    }

    /// An empty count of this assignment.
    pub fn spread(&self) -> Spread {
        let modulo = self.tagger.rules().first().map_or(1, |rule| rule.modulo());
        let lanes = self.lanes.iter().map(|lane| (lane.clone(), 0)).collect();
        Spread { lanes, parts: vec![0; modulo.min(PARTS) as usize], ..Spread::default() }
    }
}

// === impl Spread ===

impl Spread {
    /// Counts a user.
    pub fn add(&mut self, assignment: &Assignment, user: &[u8]) {
        let (lane, bucket, modulo) = assignment.lane(user);
        self.users += 1;
        if let Some(count) = self.lanes.get_mut(lane) {
            *count += 1;
        }
        match bucket {
            Some(bucket) => {
                let part = u64::from(bucket) * self.parts.len() as u64 / u64::from(modulo);
                if let Some(count) = self.parts.get_mut(part as usize) {
                    *count += 1;
                }
            }
            None => self.named += 1,
        }
    }

    /// Pearson's chi-square of the parts, and how many degrees of freedom it has: for a fair hash the two are about equal.
    pub fn chi_square(&self) -> (f64, usize) {
        let hashed: u64 = self.parts.iter().sum();
        let expected = hashed as f64 / self.parts.len().max(1) as f64;
        let deviation = |count: &u64| (*count as f64 - expected).powi(2) / expected.max(f64::MIN_POSITIVE);
        (self.parts.iter().map(deviation).sum(), self.parts.len().saturating_sub(1))
    }

    /// What chi-square says, for people.
    pub fn evenness(&self) -> String {
        let (chi_square, degrees) = self.chi_square();
        let judged = judged(chi_square, degrees);
        format!("chi-square {chi_square:.0} with {degrees} degrees of freedom: {judged}")
    }
}

/// The normal approximation of chi-square is good enough to tell chance from a skewed population.
fn judged(chi_square: f64, degrees: usize) -> &'static str {
    let deviations = (chi_square - degrees as f64) / (2.0 * degrees.max(1) as f64).sqrt();
    match deviations {
        ..3.0 => "as even as chance",
        ..6.0 => "less even than chance; are the identities what the gateway sees?",
        _ => "not even: many lines may be the same identity",
    }
}

/// How many of all buckets go from one lane to another; `None` if a user's bucket is not the same before and after, so that
/// anybody may move anywhere.
pub fn moved_buckets(before: &LaneGroup, after: &LaneGroup) -> Option<BTreeMap<Move, u64>> {
    let (before_users, after_users) = (before.spec.users()?, after.spec.users()?);
    if !has_same_buckets(before_users, after_users) {
        return None;
    }
    let (before_regions, after_regions) = (tagging::regions(before_users), tagging::regions(after_users));
    let lane = |regions: &[tagging::Region], baseline: &str, bucket: u32| {
        let region = regions.iter().find(|region| region.from <= bucket && bucket < region.to);
        region.map_or_else(|| baseline.to_owned(), |region| region.lane.clone())
    };
    let mut bounds: Vec<u32> = before_regions.iter().chain(&after_regions).flat_map(|r| [r.from, r.to]).collect();
    bounds.extend([0, before_users.modulo]);
    bounds.sort_unstable();
    bounds.dedup();
    let mut moves = BTreeMap::new();
    for (start, end) in bounds.iter().zip(bounds.iter().skip(1)) {
        let from = lane(&before_regions, &before.spec.baseline, *start);
        let to = lane(&after_regions, &after.spec.baseline, *start);
        if from != to {
            *moves.entry(Move { from, to }).or_default() += u64::from(end - start);
        }
    }
    Some(moves)
}

/// Whether every user has the same bucket under both.
fn has_same_buckets(before: &Users, after: &Users) -> bool {
    (before.hash, &before.salt, before.seed, before.modulo, &before.identity)
        == (after.hash, &after.salt, after.seed, after.modulo, &after.identity)
}
