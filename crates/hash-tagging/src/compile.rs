//! From a configuration as written to a [`Tagger`]: accepted whole, or refused whole with everything that is wrong.

mod conditions;
mod identity;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use header_edit::{HeaderName, HeaderValue};
use plugin_config::{Problem, Refused, label, metric_name, read};

use crate::{
    Hash, Reason, Tagger,
    config::{ClientsConfig, Config, HashConfig, IncomingConfig, MissingConfig, PolicyConfig, RuleConfig, UsersConfig},
    policies::{Buckets, PolicyTable},
    rule::{Incoming, Outcome, Rule, TagHeader},
};

/// Whether responses are seen, which lines can be added to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Responses {
    Seen,
    Unseen,
}

pub(crate) fn compile(json: &[u8], responses: Responses) -> Result<Tagger, Refused> {
    let config: Config = read(json).map_err(|problem| Refused(vec![problem]))?;
    let mut compiler = Compiler { tagger: Tagger::default(), labels: BTreeSet::new(), errors: Vec::new(), responses };
    if config.rules.is_empty() {
        compiler.error("rules", "expected at least one rule");
    }
    for (index, rule) in config.rules.into_iter().enumerate() {
        if (config.clients, rule.incoming) == (ClientsConfig::MayNot, IncomingConfig::Keep) {
            let message = "`clients: mayNot` leaves nothing to keep: leave `incoming` out, or say `clients: mayChoose`";
            compiler.error(format!("rules[{index}].incoming"), message);
        }
        compiler.rule(index, rule);
    }
    if config.clients == ClientsConfig::MayNot {
        compiler.tagger.hide_what_clients_send();
    }
    compiler.finish()
}

/// A tagger in the making, and what is wrong so far.
struct Compiler {
    tagger: Tagger,
    labels: BTreeSet<String>,
    errors: Vec<Problem>,
    responses: Responses,
}

/// What the counters of one rule have in common.
struct CounterLabels {
    rule: String,
    shadow: bool,
}

// === impl Compiler ===

impl Compiler {
    fn finish(mut self) -> Result<Tagger, Refused> {
        self.tagger.complete();
        if self.errors.is_empty() { Ok(self.tagger) } else { Err(Refused(self.errors)) }
    }

    fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.errors.push(Problem::new(path, message));
    }

    fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.tagger.warnings.push(Problem::new(path, message));
    }

    /// The value, or its error noted under the path.
    fn check<T, E: Display>(&mut self, path: impl Into<String>, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.error(path, error.to_string())).ok()
    }

    fn rule(&mut self, index: usize, config: RuleConfig) {
        let path = format!("rules[{index}]");
        let name = config.name.unwrap_or_else(|| format!("rule-{index}"));
        let labels = CounterLabels { rule: label(name.as_bytes()), shadow: config.shadow };
        if !self.labels.insert(labels.rule.clone()) {
            let message = format!("an earlier rule is called `{}` too: their counters are one", labels.rule);
            self.warn(format!("{path}.name"), message);
        }
        if config.policies.is_empty() && config.users.is_empty() {
            self.error(format!("{path}.policies"), "expected at least one policy, or `users`: the rule tags nobody");
        }

        let condition = self.condition(&path, config.r#match);
        let identity = self.identity(&path, config.header, config.identity, config.shadow);
        let hash = self.hash(&path, config.hash, config.salt, config.seed.map(|seed| seed.0));
        let users = self.users(&path, config.users, &labels);
        let (policies, outcomes) = self.policies(&path, config.modulo.0, config.policies, &labels);
        let missing = match config.missing {
            MissingConfig::Skip => Some(self.outcome(&labels, None, Reason::Missing)),
            MissingConfig::TagValue(tag) => {
                self.tagged(format!("{path}.missing.tagValue"), &labels, tag, Reason::Missing)
            }
        };
        let tag_header = self.check(format!("{path}.tagHeader"), HeaderName::parse(&config.tag_header));
        let decision_header = config
            .decision_header
            .and_then(|name| self.check(format!("{path}.decisionHeader"), HeaderName::parse(&name)));

        // Whatever is missing here has left an error behind, so nothing of this tagger will be used.
        let (Some(identity), Some(hash), Some(missing), Some(tag_header)) = (identity, hash, missing, tag_header)
        else {
            return;
        };
        if decision_header.as_ref() == Some(&tag_header) {
            self.error(format!("{path}.decisionHeader"), "the tag header cannot be the decision header as well");
        }
        let rule = Rule {
            condition,
            identity,
            hash: self.tagger.hashes.intern((identity, hash)),
            users,
            modulo: config.modulo.0,
            policies,
            outcomes,
            uncovered: self.outcome(&labels, None, Reason::Hash),
            missing,
            incoming: Incoming::new(config.incoming, || self.outcome(&labels, None, Reason::Incoming)),
            tag_header: TagHeader {
                line: self.tagger.lines.intern(tag_header.as_str().to_owned()),
                index: self.tagger.tag_headers.intern(tag_header),
            },
            decision_header: decision_header.map(|name| self.tagger.decision_headers.intern(name)),
            name,
            label: labels.rule,
            shadow: config.shadow,
        };
        self.tagger.rules.push(rule);
    }

    fn hash(&mut self, path: &str, hash: HashConfig, salt: Option<String>, seed: Option<u32>) -> Option<Hash> {
        let salted = match (hash, salt) {
            (HashConfig::Murmur3, salt) => Some(Hash::Murmur3 { salt: salt.unwrap_or_default().into_bytes() }),
            (HashConfig::Fnv1a32, None) => Some(Hash::Fnv1a32),
            (HashConfig::Xxh64, None) => Some(Hash::Xxh64 { seed: seed.unwrap_or_default() }),
            (HashConfig::Fnv1a32, Some(_)) => {
                self.error(format!("{path}.salt"), "fnv1a32 takes no salt: use `hash: murmur3`, or leave the salt out");
                None
            }
            (HashConfig::Xxh64, Some(_)) => {
                self.error(format!("{path}.salt"), "xxh64 takes a number instead of a salt: use `seed`");
                None
            }
        };
        if seed.is_some() && hash != HashConfig::Xxh64 {
            self.error(format!("{path}.seed"), "only xxh64 takes a seed: use `hash: xxh64`, or with murmur3 a `salt`");
        }
        salted
    }

    fn users(&mut self, path: &str, users: Vec<UsersConfig>, labels: &CounterLabels) -> BTreeMap<Vec<u8>, Outcome> {
        let mut named: BTreeMap<Vec<u8>, Outcome> = BTreeMap::new();
        for (index, group) in users.into_iter().enumerate() {
            let path = format!("{path}.users[{index}]");
            if group.values.is_empty() {
                self.error(format!("{path}.values"), "expected at least one user");
            }
            let Some(outcome) = self.tagged(format!("{path}.tagValue"), labels, group.tag_value, Reason::User) else {
                continue;
            };
            for (index, user) in group.values.into_iter().enumerate() {
                let path = format!("{path}.values[{index}]");
                if user.is_empty() {
                    self.error(path, "the empty identity is nobody: use `missing`");
                } else if let Some(other) = named.insert(user.into_bytes(), outcome.clone())
                    && other.tag != outcome.tag
                {
                    self.error(path, "the same user is named with another tag before");
                }
            }
        }
        named
    }

    fn policies(
        &mut self,
        path: &str,
        modulo: u32,
        policies: Vec<PolicyConfig>,
        labels: &CounterLabels,
    ) -> (PolicyTable, Vec<Outcome>) {
        if modulo == 0 {
            self.error(format!("{path}.modulo"), "expected 1 to 4294967295 buckets, not 0");
        }
        let mut buckets = Vec::new();
        let mut outcomes = Vec::new();
        for (index, policy) in policies.into_iter().enumerate() {
            let path = format!("{path}.policies[{index}]");
            let (from, range) = (policy.from.map_or(0, |from| from.0), policy.range.0);
            if range > modulo && modulo > 0 {
                let message = format!("{range} is above the modulo: the last bucket is {}", modulo - 1);
                self.error(format!("{path}.range"), message);
            } else if from >= range && range > 0 {
                let message = format!("{from} is not below the range {range}: the policy would cover no bucket");
                self.error(format!("{path}.from"), message);
            }
            buckets.push(Buckets { from, range });
            outcomes.extend(self.tagged(format!("{path}.tagValue"), labels, policy.tag_value, Reason::Hash));
        }
        let table = PolicyTable::new(&buckets);
        let winners = table.winners();
        for (index, policy) in buckets.iter().enumerate() {
            if policy.from < policy.range && !winners.contains(&index) {
                let message = "never reached: earlier policies cover all of its buckets";
                self.warn(format!("{path}.policies[{index}]"), message);
            }
        }
        (table, outcomes)
    }

    /// The outcome that writes this tag.
    fn tagged(&mut self, path: String, labels: &CounterLabels, tag: String, reason: Reason) -> Option<Outcome> {
        let tag = self.check(path.as_str(), HeaderValue::parse(tag))?;
        if tag.as_bytes().is_empty() {
            self.warn(path, "an empty tag is read as no tag by every hop");
        }
        Some(self.outcome(labels, Some(tag), reason))
    }

    fn outcome(&mut self, labels: &CounterLabels, tag: Option<HeaderValue>, reason: Reason) -> Outcome {
        let counter = self.tagger.counters.intern(labels.counter(tag.as_ref(), reason));
        Outcome { tag, counter }
    }
}

// === impl CounterLabels ===

impl CounterLabels {
    fn counter(&self, tag: Option<&HeaderValue>, reason: Reason) -> String {
        let metric = if self.shadow { "hash_tagging_shadow_decisions" } else { "hash_tagging_decisions" };
        let reason = reason.to_string();
        let mut labels = vec![("rule", self.rule.as_bytes()), ("reason", reason.as_bytes())];
        if let Some(tag) = tag {
            labels.insert(1, ("tag_value", tag.as_bytes()));
        }
        metric_name(&labels, metric)
    }
}
