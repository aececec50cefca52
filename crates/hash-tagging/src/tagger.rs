//! From a request to decisions and edits.

use std::borrow::Cow;

use header_edit::{Edit, HeaderName, HeaderValue, RequestHeaders};
use plugin_config::{Problem, Refused};

use crate::{
    Decision, Hash, Reason, Rule, Verdict,
    compile::compile,
    identity::{self, IdentityChain},
    once::{Interned, Memo},
    rule::{Incoming, Outcome},
};

/// A valid configuration, ready to decide.
///
/// However many rules there are, a request's header line is read once, its identity found once, and hashed once per
/// (identity, hash, salt).
#[derive(Debug, Default)]
pub struct Tagger {
    pub(crate) rules: Vec<Rule>,
    /// The headers that are read, in lower case, pseudo-headers among them.
    pub(crate) lines: Interned<String>,
    pub(crate) identities: Interned<IdentityChain>,
    /// Hash functions, each with the identity that it is applied to.
    pub(crate) hashes: Interned<(usize, Hash)>,
    pub(crate) tag_headers: Interned<HeaderName>,
    pub(crate) decision_headers: Interned<HeaderName>,
    pub(crate) counters: Interned<String>,
    pub(crate) warnings: Vec<Problem>,
}

/// The header lines of one request, each read at most once.
pub(crate) struct Lines<'r> {
    names: &'r Interned<String>,
    headers: &'r dyn RequestHeaders,
    values: Memo<Option<Cow<'r, [u8]>>>,
}

/// What is known about one request so far.
struct Request<'t, 'r> {
    tagger: &'t Tagger,
    lines: &'r Lines<'r>,
    identities: Memo<Option<Cow<'r, [u8]>>>,
    hashes: Memo<u32>,
}

/// What became of a tag header so far.
#[derive(Clone, Default)]
struct TagState {
    settled: bool,
    stripped: bool,
}

// === impl Tagger ===

impl Tagger {
    /// Reads a `pluginConfig`: a JSON object of the shape of [`crate::config::Config`].
    ///
    /// # Errors
    /// The configuration is refused whole, with everything that is wrong about it.
    pub fn parse(json: &[u8]) -> Result<Self, Refused> {
        compile(json)
    }

    /// What is valid, but hardly meant.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The names of the counters, one for each rule, tag and reason, in the form that Envoy's tag extraction turns
    /// into labels (`key=.=value;.;`). Their number is bounded by the configuration.
    pub fn counters(&self) -> &[String] {
        self.counters.entries()
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What a rule of this tagger decides about an identity, whatever the request it comes with: for tools that go through
    /// many. The identity is not empty.
    pub fn decide<'a>(&'a self, rule: &'a Rule, identity: &[u8]) -> Decision<'a> {
        let hash = || self.hashes.get(rule.hash).map(|(_, hash)| hash.of(identity)).unwrap_or_default();
        rule.decide(identity, hash)
    }

    /// Decides about one request.
    pub fn on_request<'a>(&'a self, headers: &dyn RequestHeaders) -> Verdict<'a> {
        let lines = Lines { names: &self.lines, headers, values: self.lines.memo() };
        let request =
            Request { tagger: self, lines: &lines, identities: self.identities.memo(), hashes: self.hashes.memo() };
        let mut states = vec![TagState::default(); self.tag_headers.entries().len()];
        let mut verdict = Verdict { decisions: Vec::new(), edits: Vec::new() };
        for rule in &self.rules {
            if let Some(state) = states.get_mut(rule.tag_header.index)
                && !state.settled
                && rule.condition.holds(&lines)
            {
                let decision = request.decide(rule, state);
                verdict.edits.extend(self.edit(rule, &decision, state, &lines));
                state.settled = decision.settles();
                verdict.decisions.push(decision);
            }
        }
        self.explain(&mut verdict, headers);
        verdict
    }

    /// What a decision changes about the tag header.
    fn edit<'a>(
        &'a self,
        rule: &'a Rule,
        decision: &Decision<'a>,
        state: &mut TagState,
        lines: &Lines<'_>,
    ) -> Option<Edit<'a>> {
        if rule.shadow {
            return None;
        }
        let header = self.tag_headers.get(rule.tag_header.index)?;
        match (decision.tag, &rule.incoming) {
            (Some(tag), _) => Some(Edit::Set(Cow::Borrowed(header), Cow::Borrowed(tag))),
            (None, Incoming::Strip) if !state.stripped && lines.get(rule.tag_header.line).is_some() => {
                state.stripped = true;
                Some(Edit::Remove(Cow::Borrowed(header)))
            }
            _ => None,
        }
    }

    /// Writes the decision headers; one that came with the request is never passed on.
    fn explain<'a>(&'a self, verdict: &mut Verdict<'a>, headers: &dyn RequestHeaders) {
        for (index, header) in self.decision_headers.entries().iter().enumerate() {
            let mut line = Vec::new();
            for decision in &verdict.decisions {
                if decision.rule.decision_header == Some(index) && !decision.rule.shadow {
                    decision.explain_into(&mut line);
                }
            }
            match HeaderValue::parse(line) {
                Ok(line) if !line.as_bytes().is_empty() => {
                    verdict.edits.push(Edit::Set(Cow::Borrowed(header), Cow::Owned(line)))
                }
                _ if headers.first(header.as_str()).is_some() => {
                    verdict.edits.push(Edit::Remove(Cow::Borrowed(header)))
                }
                _ => {}
            }
        }
    }
}

// === impl Lines ===

impl Lines<'_> {
    /// The first line of the header at that index.
    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let name = self.names.get(index)?;
        self.values.get(index, || self.headers.first(name))?.as_deref()
    }
}

// === impl Request ===

impl<'t> Request<'t, '_> {
    fn decide(&self, rule: &'t Rule, state: &TagState) -> Decision<'t> {
        let decision = |outcome: &'t Outcome, reason, bucket| Decision::new(rule, outcome, reason, bucket);
        if let Incoming::Keep(kept) = &rule.incoming
            && !state.stripped
            && self.lines.get(rule.tag_header.line).is_some_and(|tag| !tag.is_empty())
        {
            return decision(kept, Reason::Incoming, None);
        }
        match self.identity(rule.identity) {
            None => decision(&rule.missing, Reason::Missing, None),
            Some(identity) => rule.decide(identity, || self.hash(rule.hash)),
        }
    }

    fn identity(&self, index: usize) -> Option<&[u8]> {
        let chain = self.tagger.identities.get(index)?;
        self.identities.get(index, || identity::find(chain, self.lines))?.as_deref()
    }

    fn hash(&self, index: usize) -> u32 {
        let compute = |(identity, hash): &(usize, Hash)| hash.of(self.identity(*identity).unwrap_or_default());
        let entry = self.tagger.hashes.get(index);
        entry.and_then(|entry| self.hashes.get(index, || compute(entry))).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap};

    use header_edit::HeaderList;
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Headers that count how often each is read.
    struct Counted {
        headers: HeaderList,
        reads: RefCell<BTreeMap<String, usize>>,
    }

    impl RequestHeaders for Counted {
        fn first(&self, name: &str) -> Option<Cow<'_, [u8]>> {
            *self.reads.borrow_mut().entry(name.to_owned()).or_default() += 1;
            self.headers.first(name)
        }

        fn joined(&self, name: &str) -> Option<Cow<'_, [u8]>> {
            self.headers.joined(name)
        }

        fn every_line(&self) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)> {
            self.headers.every_line()
        }
    }

    fn reads(tagger: &Tagger, lines: &[(&str, &str)]) -> BTreeMap<String, usize> {
        let counted = Counted { headers: lines.iter().copied().collect(), reads: RefCell::default() };
        tagger.on_request(&counted);
        counted.reads.into_inner()
    }

    fn rules(rule: impl Fn(usize) -> String) -> Tagger {
        let rules: Vec<String> = (0..100).map(rule).collect();
        Tagger::parse(format!(r#"{{"rules": [{}]}}"#, rules.join(",")).as_bytes()).unwrap()
    }

    #[test]
    fn a_hundred_rules_read_each_header_once() {
        let tagger = rules(|n| {
            format!(
                r#"{{"match": {{"hosts": ["h{n}", "a"], "headers": [{{"name": "x-env", "exact": "prod"}}]}},
                    "identity": [{{"cookie": "id"}}, {{"header": "id"}}], "modulo": 100, "tagHeader": "t{n}",
                    "policies": [{{"range": 100, "tagValue": "s"}}]}}"#
            )
        });
        let expected = [(":authority", 1), ("cookie", 1), ("id", 1), ("x-env", 1)];
        let read = reads(&tagger, &[(":authority", "a"), ("x-env", "prod"), ("id", "jessie")]);
        assert_eq!(read, expected.map(|(name, count)| (name.to_owned(), count)).into());
        assert_eq!((tagger.identities.entries().len(), tagger.hashes.entries().len()), (1, 1), "found and hashed once");
    }

    #[test]
    fn one_plain_rule_reads_one_header() {
        let tagger = rules(|_| {
            r#"{"header": "id", "modulo": 100, "tagHeader": "t", "policies": [{"range": 100, "tagValue": "s"}]}"#
                .to_owned()
        });
        assert_eq!(reads(&tagger, &[("id", "jessie"), ("t", "forged")]), [("id".to_owned(), 1)].into());
    }
}
