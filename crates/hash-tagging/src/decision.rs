//! What was decided, and why.

use std::fmt;

use header_edit::{Edit, HeaderValue};

use crate::{Rule, rule::Outcome};

/// Everything a tagger has to say about one request.
#[derive(Debug)]
pub struct Tagging<'a> {
    /// One for every rule that looked at the request, in the order of the rules.
    pub decisions: Vec<Decision<'a>>,
    /// What to change about the headers.
    pub edits: Vec<Edit<'a>>,
}

/// What one rule decided.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Why.
    pub reason: Reason,
    /// `hash % modulo`, where the hash was asked.
    pub bucket: Option<u32>,
    /// The tag; `None` if the rule did not decide or kept the tag that came with the request.
    pub tag: Option<&'a HeaderValue>,
    /// The index of the counter in [`crate::Tagger::counters`] that counts this decision.
    pub counter: usize,
}

/// Why a rule decided as it did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The user is named in `users`.
    User,
    /// By the bucket; without a tag if no policy covers it.
    Hash,
    /// The request has no identity.
    Missing,
    /// The request came with a tag, and the rule keeps it.
    Incoming,
}

impl<'a> Decision<'a> {
    pub(crate) fn new(rule: &'a Rule, outcome: &'a Outcome, reason: Reason, bucket: Option<u32>) -> Self {
        Self { rule, reason, bucket, tag: outcome.tag.as_ref(), counter: outcome.counter }
    }

    /// Whether the tag header is settled: no later rule writes it.
    pub(crate) fn settles(&self) -> bool {
        !self.rule.shadow && (self.tag.is_some() || self.reason == Reason::Incoming)
    }

    /// As the decision header shows it: `rule=checkout;by=hash;bucket=16/100;tag=s2`.
    pub(crate) fn explain_into(&self, line: &mut Vec<u8>) {
        if !line.is_empty() {
            line.extend_from_slice(b", ");
        }
        line.extend_from_slice(format!("rule={};by={}", self.rule.label, self.reason).as_bytes());
        if let Some(bucket) = self.bucket {
            line.extend_from_slice(format!(";bucket={bucket}/{}", self.rule.modulo).as_bytes());
        }
        if let Some(tag) = self.tag {
            line.extend_from_slice(b";tag=");
            line.extend_from_slice(tag.as_bytes());
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Hash => "hash",
            Self::Missing => "missing",
            Self::Incoming => "incoming",
        })
    }
}
