//! From a request to decisions and edits.

use std::borrow::Cow;

use header_edit::{Edit, HeaderName, HeaderValue, RequestHeaders};
use plugin_config::{Problem, Refused};

use crate::{
    Decision, Hash, Issued, Rule, Tagging,
    compile::{Responses, compile},
    identity::IdentityChain,
    interned::Interned,
    issue::Issue,
    request::{Draw, Request},
    rule::Incoming,
};

/// A valid configuration, ready to decide.
///
/// However many rules there are, a request's header line is read once, its cookies and its query are parsed once, its
/// identity is found once, and hashed once per (identity, hash, salt).
#[derive(Debug, Default)]
pub struct Tagger {
    pub(crate) rules: Vec<Rule>,
    /// The headers that are read, in lower case, pseudo-headers among them.
    pub(crate) lines: Interned<String>,
    pub(crate) identities: Interned<IdentityChain>,
    /// The names of the cookies that are read.
    pub(crate) cookies: Interned<Vec<u8>>,
    /// The names of the query parameters that are read.
    pub(crate) parameters: Interned<Vec<u8>>,
    /// The cookies that are issued.
    pub(crate) issues: Vec<Issue>,
    /// Hash functions, each with the identity that it is applied to.
    pub(crate) hashes: Interned<(usize, Hash)>,
    pub(crate) tag_headers: Interned<HeaderName>,
    pub(crate) decision_headers: Interned<HeaderName>,
    /// The lines of tag and decision headers where clients may not choose, as if they had not come; none where they may.
    pub(crate) hidden: Vec<usize>,
    pub(crate) counters: Interned<String>,
    pub(crate) warnings: Vec<Problem>,
}

// === impl Tagger ===

impl Tagger {
    /// Reads a `pluginConfig`: a JSON object of the shape of [`crate::config::Config`].
    ///
    /// # Errors
    /// The configuration is refused whole, with everything that is wrong about it.
    pub fn parse(json: &[u8]) -> Result<Self, Refused> {
        compile(json, Responses::Seen)
    }

    /// The same for where no response is seen, and so no cookie can be given to anybody.
    ///
    /// # Errors
    /// As for [`Self::parse`], and where a cookie is to be issued.
    pub fn parse_without_responses(json: &[u8]) -> Result<Self, Refused> {
        compile(json, Responses::Unseen)
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
        let hash = self.hashes.get(rule.hash).map(|(_, hash)| hash.of(identity));
        rule.decide(|| identity, hash.unwrap_or_default())
    }

    /// Decides about one request. No id is issued.
    pub fn on_request<'a>(&'a self, headers: &dyn RequestHeaders) -> Tagging<'a> {
        let mut decisions = Vec::new();
        let edits = self.tag(headers, |decision| decisions.push(decision));
        Tagging { decisions, edits }
    }

    /// Decides about one request, and shows every decision when it is made instead of keeping it.
    pub fn tag<'a>(&'a self, headers: &dyn RequestHeaders, show: impl FnMut(Decision<'a>)) -> Vec<Edit<'a>> {
        self.tag_and_issue(headers, &|| None, show).0
    }

    /// The same, and says which ids the client gets, having come without: of random bits that `draw` gives.
    pub fn tag_and_issue<'a>(
        &'a self,
        headers: &dyn RequestHeaders,
        draw: Draw<'_>,
        mut show: impl FnMut(Decision<'a>),
    ) -> (Vec<Edit<'a>>, Vec<Issued>) {
        // Hardly ever more than one for each header.
        let mut edits = Vec::with_capacity(self.tag_headers.entries().len() + self.decision_headers.entries().len());
        let mut lines = vec![Vec::new(); self.decision_headers.entries().len()];
        let mut request = Request::new(self, headers, draw);
        for rule in &self.rules {
            let Some(decision) = request.decide(rule) else { continue };
            if !rule.shadow {
                if let Some(edit) = self.edit(rule, &decision, &mut request) {
                    edits.push(edit);
                }
                if let Some(line) = rule.decision_header.and_then(|index| lines.get_mut(index)) {
                    decision.explain_into(line);
                }
            }
            show(decision);
        }
        if !self.hidden.is_empty() {
            edits.extend(self.strip(&request, headers));
        }
        self.explain(lines, headers, &mut edits);
        (edits, request.issued())
    }

    /// No rule is added any more. The names of cookies and parameters are looked up with every request.
    pub(crate) fn complete(&mut self) {
        self.lines.complete();
        self.identities.complete();
        self.hashes.complete();
        self.tag_headers.complete();
        self.decision_headers.complete();
        self.counters.complete();
    }

    /// What a decision changes about the tag header.
    fn edit<'a>(&'a self, rule: &Rule, decision: &Decision<'a>, request: &mut Request<'_, '_>) -> Option<Edit<'a>> {
        match (decision.tag, &rule.incoming) {
            (Some(tag), _) => {
                let header = self.tag_headers.get(rule.tag_header.index)?;
                Some(Edit::Set(Cow::Borrowed(header), Cow::Borrowed(tag)))
            }
            (None, Incoming::Strip) if request.strips(rule) => {
                self.tag_headers.get(rule.tag_header.index).map(|header| Edit::Remove(Cow::Borrowed(header)))
            }
            _ => None,
        }
    }

    /// Removes the tags that came with the request and that no decision has replaced.
    fn strip<'a>(&'a self, request: &Request<'_, '_>, headers: &dyn RequestHeaders) -> Vec<Edit<'a>> {
        let came = |(_, header): &(usize, &HeaderName)| headers.first(header.as_str()).is_some();
        let undecided = self.tag_headers.entries().iter().enumerate().filter(|(index, _)| !request.is_settled(*index));
        undecided.filter(came).map(|(_, header)| Edit::Remove(Cow::Borrowed(header))).collect()
    }

    /// Takes away from clients what the rules write, once all rules are there.
    pub(crate) fn hide_what_clients_send(&mut self) {
        let names = self.tag_headers.entries().iter().chain(self.decision_headers.entries());
        self.hidden = names.map(|name| self.lines.intern(name.as_str().to_owned())).collect();
    }

    /// Writes the decision headers; one that came with the request is never passed on.
    fn explain<'a>(&'a self, lines: Vec<Vec<u8>>, headers: &dyn RequestHeaders, edits: &mut Vec<Edit<'a>>) {
        for (header, line) in self.decision_headers.entries().iter().zip(lines) {
            match HeaderValue::parse(line) {
                Ok(line) if !line.as_bytes().is_empty() => {
                    edits.push(Edit::Set(Cow::Borrowed(header), Cow::Owned(line)));
                }
                _ if headers.first(header.as_str()).is_some() => edits.push(Edit::Remove(Cow::Borrowed(header))),
                _ => {}
            }
        }
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

        fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
            *self.reads.borrow_mut().entry(name.to_owned()).or_default() += 1;
            self.headers.value(name)
        }

        fn claim(&self, name: &str) -> Option<Cow<'_, [u8]>> {
            self.headers.claim(name)
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
