//! From an answer to what is wrong about it.

use std::collections::BTreeMap;

use super::{
    answer::{Answer, Hop},
    fault::{Culprit, Fault},
    ids,
    plan::{Expected, Probe},
    versions::Versions,
};
use crate::{
    document::{Propagation, Spec, Untagged},
    explain::{self, Why},
};

/// What an answer says.
#[derive(Debug)]
pub(super) struct Diagnosis {
    /// The lane that the request entered; `None` if that is not known, or none.
    pub(super) lane: Option<String>,
    /// What is wrong.
    pub(super) fault: Option<Fault>,
}

/// How answers are looked at.
pub(super) struct Doctor<'a> {
    pub(super) spec: &'a Spec,
    pub(super) versions: &'a Versions,
}

type Headers = BTreeMap<String, String>;
/// A service that answered, and what was to answer there.
type Pair<'a> = (&'a Hop, &'a explain::Hop);

impl Doctor<'_> {
    pub(super) fn look(&self, probe: &Probe, answer: &Answer) -> Diagnosis {
        let faulty = |fault| Diagnosis { lane: None, fault: Some(fault) };
        let Some(status) = answer.status else {
            return faulty(Fault::Unanswered { why: answer.error.clone().unwrap_or_default() });
        };
        if let Expected::Nowhere = probe.expected {
            return Diagnosis { lane: None, fault: answer.is_success().then(|| self.let_in(probe, answer)) };
        }
        if !answer.is_success() {
            return faulty(Fault::Failed { status, behind: answer.hops.last().map(|hop| hop.service.clone()) });
        }
        if answer.hops.is_empty() {
            return faulty(Fault::Unreadable);
        }
        if let Some(hop) = answer.hops.iter().find(|hop| self.versions.lane(&hop.version).is_none()) {
            return faulty(Fault::UnknownVersion { service: hop.service.clone(), version: hop.version.clone() });
        }
        let Some((lane, chain)) = self.likeliest(&probe.expected, &answer.hops) else {
            return faulty(Fault::Unreadable);
        };
        let pairs: Vec<Pair<'_>> = answer
            .hops
            .iter()
            .filter_map(|hop| Some((hop, chain.iter().find(|expected| expected.service == hop.service)?)))
            .collect();
        let fault = match pairs.iter().all(|(hop, _)| hop.headers.is_some()) {
            true => self.by_tags(&pairs, lane),
            false => self.by_versions(&pairs, lane),
        };
        let entered = match &fault {
            Some(Fault::AnotherLane { lane, .. }) => lane.clone(),
            _ => lane.to_owned(),
        };
        let fault = fault.map(|fault| self.spoofed(probe, &pairs, &fault).unwrap_or(fault));
        let missing = probe.issued.as_ref().filter(|cookie| !answer.cookies.contains(cookie));
        let fault = fault.or_else(|| missing.map(|cookie| Fault::NotIssued { cookie: cookie.clone() }));
        Diagnosis { lane: Some(entered), fault }
    }

    fn let_in(&self, probe: &Probe, answer: &Answer) -> Fault {
        let reached = |lane: &&String| answer.hops.iter().any(|hop| self.versions.lane(&hop.version) == Some(lane));
        let spoofed = probe.spoofed.as_ref().filter(reached);
        spoofed.map_or(Fault::LetIn, |lane| Fault::Spoofed { lane: lane.clone() })
    }

    /// The lane that the request is likeliest in: of several, the one of the tag that the first service got, else the one that
    /// most versions are right for.
    fn likeliest<'e>(&self, expected: &'e Expected, hops: &[Hop]) -> Option<(&'e str, &'e [explain::Hop])> {
        let first = hops.first()?;
        let tag = first.headers.as_ref().and_then(|headers| self.effective(headers));
        let is_right = |hop: &Hop, chain: &[explain::Hop]| {
            let expected = chain.iter().find(|expected| expected.service == hop.service);
            expected.and_then(|expected| expected.lane.as_deref()) == self.versions.lane(&hop.version)
        };
        let fit = |(lane, chain): &(&str, &[explain::Hop])| {
            (tag == Some(lane), hops.iter().filter(|hop| is_right(hop, chain)).count())
        };
        expected.chains().max_by_key(fit)
    }

    /// The lane that a request with these headers is in.
    fn effective(&self, headers: &Headers) -> Option<&str> {
        let tag = headers.get(&self.spec.route_header.to_ascii_lowercase());
        let lane = tag.and_then(|tag| self.spec.lane(tag)).map(|lane| lane.name.as_str());
        lane.or((self.spec.untagged() == Untagged::Baseline).then_some(self.spec.baseline.as_str()))
    }

    /// By the tag that each service got: what is seen, and where it began.
    fn by_tags(&self, pairs: &[Pair<'_>], lane: &str) -> Option<Fault> {
        if self.spec.propagation() != Propagation::SourceLabels {
            let in_lane =
                |(hop, _): &Pair<'_>| hop.headers.as_ref().is_some_and(|headers| self.effective(headers) == Some(lane));
            match pairs.iter().position(|pair| !in_lane(pair)) {
                None => {}
                Some(0) => {
                    let headers = pairs.first().and_then(|(hop, _)| hop.headers.as_ref())?;
                    let entered = self.effective(headers).unwrap_or(&self.spec.baseline).to_owned();
                    return Some(Fault::AnotherLane { lane: entered, expected: lane.to_owned(), is_certain: true });
                }
                Some(index) => {
                    let ((from, expected), (to, _)) = (pairs.get(index - 1)?, pairs.get(index)?);
                    let culprit = match (&from.headers, &to.headers) {
                        (Some(before), Some(after)) => self.culprit(before, after),
                        _ => Culprit::Unknown,
                    };
                    return Some(Fault::Lost {
                        from: Some(from.service.clone()),
                        to: to.service.clone(),
                        lane: lane.to_owned(),
                        culprit,
                        is_behind_fallback: expected.why == Why::Fallback,
                    });
                }
            }
        }
        let (hop, expected) = pairs.iter().find(|pair| !self.is_right(pair))?;
        Some(self.pod(hop, expected, lane))
    }

    /// By the versions alone.
    fn by_versions(&self, pairs: &[Pair<'_>], lane: &str) -> Option<Fault> {
        let wrong = pairs.iter().position(|pair| !self.is_right(pair))?;
        if let Some(other) =
            self.spec.lanes.iter().find(|other| other.name != lane && self.is_chain_of(pairs, &other.name))
        {
            return Some(Fault::AnotherLane { lane: other.name.clone(), expected: lane.to_owned(), is_certain: false });
        }
        let (hop, expected) = pairs.get(wrong)?;
        let is_baseline = self.versions.lane(&hop.version) == Some(self.spec.baseline.as_str());
        let comes_back = pairs.iter().skip(wrong).any(|pair| self.is_right(pair) && pair.1.why == Why::OwnLane);
        if !is_baseline || comes_back {
            return Some(self.pod(hop, expected, lane));
        }
        let before = wrong.checked_sub(1).and_then(|index| pairs.get(index));
        Some(Fault::Lost {
            from: before.map(|(hop, _)| hop.service.clone()),
            to: hop.service.clone(),
            lane: lane.to_owned(),
            culprit: Culprit::Unknown,
            is_behind_fallback: before.is_some_and(|(_, expected)| expected.why == Why::Fallback),
        })
    }

    /// A pod of a wrong version, for a request that was in its lane.
    fn pod(&self, hop: &Hop, expected: &explain::Hop, lane: &str) -> Fault {
        let service = hop.service.clone();
        let is_baseline = self.versions.lane(&hop.version) == Some(self.spec.baseline.as_str());
        if is_baseline && expected.why == Why::OwnLane {
            return Fault::LacksPod { service, lane: lane.to_owned() };
        }
        let is_fallback = expected.why == Why::Fallback && self.versions.lane(&hop.version) != Some(lane);
        let lane = expected.lane.clone().unwrap_or_else(|| lane.to_owned());
        Fault::ForeignPod { service, version: hop.version.clone(), lane, is_fallback }
    }

    /// What the client asked for, if that is what it got.
    fn spoofed(&self, probe: &Probe, pairs: &[Pair<'_>], fault: &Fault) -> Option<Fault> {
        let lane = probe.spoofed.as_ref()?;
        let is_got = match fault {
            Fault::AnotherLane { lane: got, .. } => got == lane,
            Fault::Lost { to, .. } => {
                let headers =
                    pairs.iter().find(|(hop, _)| hop.service == *to).and_then(|(hop, _)| hop.headers.as_ref());
                headers.is_some_and(|headers| self.effective(headers) == Some(lane))
            }
            Fault::ForeignPod { version, .. } => {
                pairs.iter().all(|(hop, _)| hop.headers.is_none()) && self.versions.lane(version) == Some(lane)
            }
            _ => false,
        };
        is_got.then(|| Fault::Spoofed { lane: lane.clone() })
    }

    fn is_right(&self, (hop, expected): &Pair<'_>) -> bool {
        self.versions.lane(&hop.version) == expected.lane.as_deref()
    }

    fn is_chain_of(&self, pairs: &[Pair<'_>], lane: &str) -> bool {
        let chain = explain::chain(self.spec, lane);
        let expected = |service: &str| chain.iter().find(|hop| hop.service == service);
        pairs.iter().all(|(hop, _)| expected(&hop.service).is_some_and(|expected| self.is_right(&(hop, expected))))
    }

    /// Who lost the tag between two services, by what carries it.
    fn culprit(&self, before: &Headers, after: &Headers) -> Culprit {
        let (got, forwarded) = match self.spec.propagation() {
            Propagation::SourceLabels => return Culprit::Unknown,
            Propagation::Application => return Culprit::Application,
            Propagation::Trace(trace) => {
                let header = trace.header.to_ascii_lowercase();
                let id = |headers: &'_ Headers| {
                    headers.get(&header).and_then(|value| ids::id(&header, value)).map(str::to_owned)
                };
                let (got, forwarded) = (id(before), id(after));
                if got.is_none() {
                    return Culprit::Request;
                }
                (true, got == forwarded)
            }
            Propagation::Baggage(baggage) => {
                let key = baggage.key.unwrap_or_else(|| self.spec.route_header.clone());
                (has_member(before, &key), has_member(after, &key))
            }
        };
        match (got, forwarded) {
            (true, false) => Culprit::Application,
            // What the application did not get, its sidecar has not made of the tag.
            _ => Culprit::Sidecar,
        }
    }
}

fn has_member(headers: &Headers, key: &str) -> bool {
    let members = headers.get("baggage").map(String::as_str).unwrap_or_default().split(',');
    members.filter_map(|member| member.split_once('=')).any(|(name, _)| name.trim().eq_ignore_ascii_case(key))
}
