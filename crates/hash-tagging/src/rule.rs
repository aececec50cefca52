//! A rule, checked.

use std::collections::BTreeMap;

use header_edit::HeaderValue;

use crate::{Decision, Reason, config::IncomingConfig, matching::RequestMatch, policies::PolicyTable};

/// A rule of a [`crate::Tagger`].
#[derive(Debug)]
pub struct Rule {
    pub(crate) name: String,
    /// `rule=…` as the decision header shows it.
    pub(crate) label: String,
    pub(crate) condition: RequestMatch,
    /// Index of the identity chain.
    pub(crate) identity: usize,
    /// Index of the (identity, hash) pair.
    pub(crate) hash: usize,
    pub(crate) users: BTreeMap<Vec<u8>, Outcome>,
    pub(crate) modulo: u32,
    pub(crate) policies: PolicyTable,
    /// By policy.
    pub(crate) outcomes: Vec<Outcome>,
    /// For the buckets that no policy covers.
    pub(crate) uncovered: Outcome,
    pub(crate) missing: Outcome,
    pub(crate) incoming: Incoming,
    pub(crate) tag_header: TagHeader,
    pub(crate) shadow: bool,
    /// Index of the decision header.
    pub(crate) decision_header: Option<usize>,
}

/// What a decision comes to: a tag or none, and the counter that counts it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) tag: Option<HeaderValue>,
    pub(crate) counter: usize,
}

/// What happens to a tag that came with the request.
#[derive(Debug)]
pub(crate) enum Incoming {
    Replace,
    Keep(Outcome),
    Strip,
}

/// The header a rule writes: by its index among the tag headers, and among the lines that are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagHeader {
    pub(crate) index: usize,
    pub(crate) line: usize,
}

impl Rule {
    /// The name that was given, or `rule-0`, `rule-1`, … by position.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of buckets.
    pub fn modulo(&self) -> u32 {
        self.modulo
    }

    /// What the rule decides about an identity that is there; `hash` is asked only if it is needed.
    pub(crate) fn decide<'i>(&self, identity: impl FnOnce() -> &'i [u8], hash: u64) -> Decision<'_> {
        if !self.users.is_empty()
            && let Some(outcome) = self.users.get(identity())
        {
            return Decision::new(self, outcome, Reason::User, None);
        }
        let bucket = hash.checked_rem(self.modulo.into()).unwrap_or_default();
        let bucket = u32::try_from(bucket).unwrap_or_default();
        let outcome = self.policies.winner(bucket).and_then(|policy| self.outcomes.get(policy));
        Decision::new(self, outcome.unwrap_or(&self.uncovered), Reason::Hash, Some(bucket))
    }
}

impl Incoming {
    pub(crate) fn new(config: IncomingConfig, kept: impl FnOnce() -> Outcome) -> Self {
        match config {
            IncomingConfig::Replace => Self::Replace,
            IncomingConfig::Keep => Self::Keep(kept()),
            IncomingConfig::Strip => Self::Strip,
        }
    }
}
