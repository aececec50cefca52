//! What is known about one request so far.

use std::borrow::Cow;

use header_edit::RequestHeaders;

use crate::{
    Decision, Reason, Rule, Tagger,
    identity::{self, Identity, Values},
    issue::{self, Issued},
    rule::{Incoming, Outcome},
};

/// A request that the rules are asked about, one after another. What was read and computed is kept, each at most once.
pub(crate) struct Request<'t, 'r> {
    tagger: &'t Tagger,
    lines: Lines<'t, 'r>,
    identities: Vec<Option<Identity>>,
    hashes: Vec<Option<Hashed>>,
    tags: Vec<Tag>,
}

/// The header lines of a request, and what is in them.
pub(crate) struct Lines<'t, 'r> {
    tagger: &'t Tagger,
    headers: &'r dyn RequestHeaders,
    values: Vec<Line>,
    cookies: Option<Values>,
    parameters: Option<Values>,
    draw: Draw<'r>,
    /// By the index of the cookie: the id that was drawn for it, if one could be.
    new_ids: Vec<Option<Option<String>>>,
}

/// Gives 128 random bits, if it can.
pub(crate) type Draw<'r> = &'r dyn Fn() -> Option<u128>;

#[derive(Clone, Debug)]
enum Line {
    Unread,
    Missing,
    Value(Vec<u8>),
}

/// What an identity hashes to, if there is one.
#[derive(Clone, Copy, Debug)]
enum Hashed {
    Missing,
    To(u64),
}

/// What became of a tag header so far.
#[derive(Clone, Copy, Debug, Default)]
struct Tag {
    is_settled: bool,
    is_stripped: bool,
}

// === impl Request ===

impl<'t, 'r> Request<'t, 'r> {
    pub(crate) fn new(tagger: &'t Tagger, headers: &'r dyn RequestHeaders, draw: Draw<'r>) -> Self {
        let mut values = vec![Line::Unread; tagger.lines.entries().len()];
        for line in &tagger.hidden {
            if let Some(line) = values.get_mut(*line) {
                *line = Line::Missing;
            }
        }
        Self {
            tagger,
            lines: Lines {
                tagger,
                headers,
                values,
                cookies: None,
                parameters: None,
                draw,
                new_ids: vec![None; tagger.issues.len()],
            },
            identities: vec![None; tagger.identities.entries().len()],
            hashes: vec![None; tagger.hashes.entries().len()],
            tags: vec![Tag::default(); tagger.tag_headers.entries().len()],
        }
    }

    /// What the rule decides; `None` if it does not look at the request, or if an earlier rule has settled its tag header.
    pub(crate) fn decide(&mut self, rule: &'t Rule) -> Option<Decision<'t>> {
        let tag = *self.tags.get(rule.tag_header.index)?;
        if tag.is_settled || !rule.condition.holds(&mut self.lines) {
            return None;
        }
        let decision = self.decide_by(rule, tag);
        if decision.settles()
            && let Some(tag) = self.tags.get_mut(rule.tag_header.index)
        {
            tag.is_settled = true;
        }
        Some(decision)
    }

    /// Whether a rule has settled the tag header of that index.
    pub(crate) fn is_settled(&self, index: usize) -> bool {
        self.tags.get(index).is_some_and(|tag| tag.is_settled)
    }

    /// What the client gets, having come without.
    pub(crate) fn issued(&self) -> Vec<Issued> {
        let ids = self.tagger.issues.iter().zip(&self.lines.new_ids);
        ids.filter_map(|(issue, id)| id.as_ref().map(|id| issue.of(id.as_deref()))).collect()
    }

    /// Whether the rule's tag header came with the request and is still there; it is not afterwards.
    pub(crate) fn strips(&mut self, rule: &Rule) -> bool {
        let tag = self.tags.get_mut(rule.tag_header.index).filter(|tag| !tag.is_stripped);
        let (Some(tag), Some(name)) = (tag, self.tagger.tag_headers.get(rule.tag_header.index)) else { return false };
        // An empty line is no value, but it is there.
        tag.is_stripped = self.lines.headers.first(name.as_str()).is_some();
        tag.is_stripped
    }

    fn decide_by(&mut self, rule: &'t Rule, tag: Tag) -> Decision<'t> {
        let decision = |outcome: &'t Outcome, reason| Decision::new(rule, outcome, reason, None);
        if let Incoming::Keep(kept) = &rule.incoming
            && !tag.is_stripped
            && self.lines.get(rule.tag_header.line).is_some_and(|tag| !tag.is_empty())
        {
            return decision(kept, Reason::Incoming);
        }
        match self.hash(rule) {
            Hashed::Missing => decision(&rule.missing, Reason::Missing),
            Hashed::To(hash) => rule.decide(|| self.identity(rule.identity).unwrap_or_default(), hash),
        }
    }

    /// The hash that the rule asks for, which is computed once for all rules that ask for the same.
    fn hash(&mut self, rule: &Rule) -> Hashed {
        if let Some(Some(hashed)) = self.hashes.get(rule.hash) {
            return *hashed;
        }
        self.find_identity(rule.identity);
        let hash = self.tagger.hashes.get(rule.hash).map(|(_, hash)| hash);
        let hashed = match (self.identity(rule.identity), hash) {
            (Some(identity), Some(hash)) => Hashed::To(hash.of(identity)),
            _ => Hashed::Missing,
        };
        if let Some(slot) = self.hashes.get_mut(rule.hash) {
            *slot = Some(hashed);
        }
        hashed
    }

    fn find_identity(&mut self, index: usize) {
        let is_unknown = self.identities.get(index).is_some_and(Option::is_none);
        if let Some(chain) = self.tagger.identities.get(index).filter(|_| is_unknown) {
            let found = identity::find(chain, &mut self.lines);
            if let Some(slot) = self.identities.get_mut(index) {
                *slot = Some(found);
            }
        }
    }

    fn identity(&self, index: usize) -> Option<&[u8]> {
        match self.identities.get(index)?.as_ref()? {
            Identity::Missing => None,
            Identity::Line(line) => self.lines.values.get(*line)?.value(),
            Identity::Part(part) => Some(part),
        }
    }
}

// === impl Lines ===

impl Lines<'_, '_> {
    /// The header at that index.
    pub(crate) fn get(&mut self, index: usize) -> Option<&[u8]> {
        let line = self.values.get_mut(index)?;
        if matches!(line, Line::Unread) {
            let name = self.tagger.lines.get(index)?;
            let is_one_line = name.starts_with(':') || name == "cookie";
            let value = if is_one_line { self.headers.first(name) } else { self.headers.value(name) };
            *line = value.map_or(Line::Missing, |value| Line::Value(value.into_owned()));
        }
        line.value()
    }

    /// The claim of that name.
    pub(crate) fn claim(&self, name: &str) -> Option<Vec<u8>> {
        self.headers.claim(name).map(Cow::into_owned)
    }

    /// The value of the cookie at that index, in the line at that index.
    pub(crate) fn cookie(&mut self, line: usize, index: usize) -> Option<&[u8]> {
        if self.cookies.is_none() {
            let names = &self.tagger.cookies;
            self.cookies = Some(identity::cookies(self.get(line)?, names));
        }
        self.cookies.as_ref()?.get(index)?.as_deref()
    }

    /// The id that is issued as the cookie at that index; the same for all rules.
    pub(crate) fn new_id(&mut self, issue: usize) -> Option<&str> {
        let id = self.new_ids.get_mut(issue)?;
        id.get_or_insert_with(|| (self.draw)().map(issue::id)).as_deref()
    }

    /// The value of the query parameter at that index, in the path at that index.
    pub(crate) fn parameter(&mut self, path: usize, index: usize) -> Option<&[u8]> {
        if self.parameters.is_none() {
            let names = &self.tagger.parameters;
            self.parameters = Some(identity::parameters(self.get(path)?, names));
        }
        self.parameters.as_ref()?.get(index)?.as_deref()
    }
}

impl Line {
    fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unread | Self::Missing => None,
        }
    }
}
