//! Where a rule looks for the identity.

use header_edit::HeaderName;
use plugin_config::{WholeNumber, metric_name};

use super::{Compiler, Responses};
use crate::{
    config::IdentityConfig,
    identity::{IdentityChain, IdentitySource},
    issue::{Issue, MAX_AGE},
};

impl Compiler {
    /// The index of the chain of places where the identity is looked for.
    pub(super) fn identity(
        &mut self,
        path: &str,
        header: Option<String>,
        identity: Option<Vec<IdentityConfig>>,
        shadow: bool,
    ) -> Option<usize> {
        let chain: Option<IdentityChain> = match (header, identity) {
            (Some(header), None) => {
                self.line(format!("{path}.header"), &header).map(|line| vec![IdentitySource::Header(line)])
            }
            (None, Some(sources)) => {
                let path = format!("{path}.identity");
                let sources = self.not_empty(path.clone(), Some(sources));
                self.chain(&path, sources, shadow)
            }
            (Some(_), Some(_)) => {
                self.error(path, "`header` and `identity` exclude each other: give one of the two");
                None
            }
            (None, None) => {
                self.error(path, "no identity: expected `header` or `identity`");
                None
            }
        };
        chain.map(|chain| self.tagger.identities.intern(chain))
    }

    fn chain(&mut self, path: &str, sources: Vec<IdentityConfig>, shadow: bool) -> Option<IdentityChain> {
        let mut chain = Some(IdentityChain::new());
        let last = sources.len().saturating_sub(1);
        for (index, mut source) in sources.into_iter().enumerate() {
            let path = format!("{path}[{index}]");
            let (cookie, issue) = (source.cookie.clone(), source.issue_max_age_seconds.take());
            let place = self.source(&path, source);
            let new = issue.and_then(|issue| {
                self.issue(&format!("{path}.issueMaxAgeSeconds"), cookie, issue, index == last, shadow)
            });
            chain = chain.zip(place).map(|(chain, place)| chain.into_iter().chain([place]).chain(new).collect());
        }
        chain
    }

    fn source(&mut self, path: &str, source: IdentityConfig) -> Option<IdentitySource> {
        match (source.header, source.cookie, source.query, source.claim) {
            (Some(name), None, None, None) => self.line(format!("{path}.header"), &name).map(IdentitySource::Header),
            (None, Some(name), None, None) => {
                // A cookie's name is a token, as a header's is (RFC 6265, section 4.1.1), but keeps its letter case.
                let token =
                    HeaderName::parse(&name).map_err(|_| "not a cookie name: letters, digits and punctuation only");
                self.check(format!("{path}.cookie"), token)?;
                let name = self.tagger.cookies.intern(name.into_bytes());
                Some(IdentitySource::Cookie { line: self.known_line("cookie"), name })
            }
            (None, None, Some(name), None) if name.is_empty() => {
                self.error(format!("{path}.query"), "expected the name of a query parameter");
                None
            }
            (None, None, None, Some(name)) if name.is_empty() => {
                self.error(format!("{path}.claim"), "expected the name of a claim, such as sub");
                None
            }
            (None, None, None, Some(name)) => Some(IdentitySource::Claim(name)),
            (None, None, Some(name), None) => {
                let name = self.tagger.parameters.intern(name.into_bytes());
                Some(IdentitySource::Query { path: self.known_line(":path"), name })
            }
            _ => {
                self.error(path, "expected exactly one of `header`, `cookie`, `query` and `claim`");
                None
            }
        }
    }

    /// The source that never fails but for want of random bits.
    fn issue(
        &mut self,
        path: &str,
        cookie: Option<String>,
        WholeNumber(max_age): WholeNumber,
        is_last: bool,
        shadow: bool,
    ) -> Option<IdentitySource> {
        let cookie = cookie.unwrap_or_default();
        let before = self.tagger.issues.iter().position(|issue| issue.cookie == cookie);
        let has_other_age =
            before.and_then(|index| self.tagger.issues.get(index)).is_some_and(|issue| issue.max_age != max_age);
        let wrong = [
            (cookie.is_empty(), "only a cookie can be issued: give `cookie` beside it"),
            (
                !is_last,
                "who comes without the cookie gets it, and no later place is ever looked at: move it to the end",
            ),
            (shadow, "a shadow rule writes nothing: leave it out"),
            (
                self.responses == Responses::Unseen,
                "this module sees no responses: load hash_tagging_cookie.wasm instead",
            ),
            (!(1..=MAX_AGE).contains(&max_age), "expected 1 to 34560000 seconds, which are 400 days"),
            (has_other_age, "an earlier rule issues this cookie for another time: say the same"),
        ];
        wrong.into_iter().filter(|(is_wrong, _)| *is_wrong).for_each(|(_, message)| self.error(path, message));
        let index = before.unwrap_or(self.tagger.issues.len());
        if index == self.tagger.issues.len() {
            let [issued, failed] = ["hash_tagging_issued_ids", "hash_tagging_failed_ids"]
                .map(|metric| self.tagger.counters.intern(metric_name(&[], metric)));
            self.tagger.issues.push(Issue { cookie, max_age, issued, failed });
        }
        Some(IdentitySource::New(index))
    }
}
