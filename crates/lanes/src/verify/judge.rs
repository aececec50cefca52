//! Takes the answers, and says what they mean together.

mod shares;

use std::{collections::BTreeMap, time::Duration};

use strum::VariantArray;

use super::{
    answer::Answer,
    check::Check,
    diagnosis::{Diagnosis, Doctor},
    fault::Fault,
    plan::{Expected, Plan, Probe},
    report::{Finding, Latency, Outcome, Report, Status},
    versions::Versions,
};
use crate::document::LaneGroup;

/// Takes the answers to a plan's requests.
#[derive(Debug)]
pub struct Judge<'a> {
    group: &'a LaneGroup,
    plan: &'a Plan,
    versions: &'a Versions,
    /// Whether the requests asked for what each service gets.
    asks_for_headers: bool,
    seen: Vec<Seen>,
    times: BTreeMap<String, Vec<Duration>>,
}

/// What came back to equal requests.
#[derive(Clone, Debug, Default)]
struct Seen {
    answers: u64,
    with_headers: u64,
    /// How often each lane was entered.
    lanes: BTreeMap<String, u64>,
    /// How often each thing was wrong, and the lanes that answered the first time.
    faults: BTreeMap<Fault, (u64, String)>,
}

impl<'a> Judge<'a> {
    /// A judge who has heard nothing yet. `asks_for_headers` says whether the requests ask for the headers that each service gets.
    pub fn new(group: &'a LaneGroup, plan: &'a Plan, versions: &'a Versions, asks_for_headers: bool) -> Self {
        let seen = vec![Seen::default(); plan.probes.len()];
        Self { group, plan, versions, asks_for_headers, seen, times: BTreeMap::new() }
    }

    /// Takes an answer to one of the plan's probes, by its place among them.
    pub fn take(&mut self, probe: usize, answer: &Answer) {
        let (Some(asked), Some(seen)) = (self.plan.probes.get(probe), self.seen.get_mut(probe)) else { return };
        let doctor = Doctor { spec: &self.group.spec, versions: self.versions };
        let Diagnosis { lane, fault } = doctor.look(asked, answer);
        seen.answers += 1;
        seen.with_headers += u64::from(answer.hops.iter().any(|hop| hop.headers.is_some()));
        if let Some(lane) = &lane {
            *seen.lanes.entry(lane.clone()).or_default() += 1;
        }
        match (fault, lane) {
            (Some(fault), _) => {
                seen.faults.entry(fault).or_insert_with(|| (0, answer.told(self.versions))).0 += 1;
            }
            (None, Some(lane)) => self.times.entry(lane).or_default().push(answer.took),
            (None, None) => {}
        }
    }

    /// What the answers so far mean.
    pub fn report(&self) -> Report {
        let shares = self.shares();
        let mut found: BTreeMap<Check, Vec<Finding>> = BTreeMap::new();
        for finding in self.findings().into_iter().chain(self.wrong_shares(&shares)) {
            found.entry(finding.0).or_default().push(finding.1);
        }
        let outcome = |check: &Check| self.outcome(*check, found.remove(check).unwrap_or_default());
        let checks = Check::VARIANTS.iter().map(outcome).collect();
        let requests = self.seen.iter().map(|seen| seen.answers).sum();
        let lanes = self.group.spec.lanes.iter();
        let times = lanes.filter_map(|lane| Some(Latency::of(&lane.name, self.times.get(&lane.name)?.clone())));
        Report { requests, checks, shares, latency: times.collect() }
    }

    fn outcome(&self, check: Check, findings: Vec<Finding>) -> Outcome {
        let (status, detail) = match (findings.is_empty(), self.why_unchecked(check)) {
            (false, _) => (Status::Failed, self.detail(check)),
            (true, Some(why)) => (Status::Unchecked, why),
            (true, None) => (Status::Passed, self.detail(check)),
        };
        Outcome { section: check.section(), check, status, detail, findings }
    }

    fn why_unchecked(&self, check: Check) -> Option<String> {
        let known =
            || self.plan.unchecked.iter().find(|(unchecked, _)| *unchecked == check).map(|(_, why)| why.clone());
        let is_asked = self.plan.probes.iter().any(|probe| probe.check == check);
        if is_asked {
            return None;
        }
        let is_about_headers = matches!(check, Check::TagIsCarried | Check::CarrierIsForwarded);
        known().or_else(|| match (self.asks_for_headers, self.seen.iter().any(|seen| seen.with_headers > 0)) {
            _ if !is_about_headers => None,
            (false, _) => Some("asked for with --propagation only".to_owned()),
            (true, false) => {
                Some("neither the answers nor an access log show the headers that each service got".to_owned())
            }
            (true, true) => None,
        })
    }

    /// What a check was judged by, and what of it could not be.
    fn detail(&self, check: Check) -> String {
        let source = match check {
            Check::ShareOfLane if self.group.spec.users().is_some() => Check::SampledUsers,
            check => check,
        };
        let of = |(probe, seen): (&Probe, &Seen)| (probe.check == source).then_some(seen.answers);
        let own: Vec<u64> = self.asked().filter_map(of).collect();
        let judged = match own.len() {
            0 => format!("{} requests", self.seen.iter().map(|seen| seen.answers).sum::<u64>()),
            1 => format!("{} requests", own.iter().sum::<u64>()),
            clients => format!("{clients} clients, {} requests", own.iter().sum::<u64>()),
        };
        let missing =
            self.plan.unchecked.iter().filter(|(unchecked, _)| *unchecked == check).map(|(_, why)| why.as_str());
        [judged.as_str()].into_iter().chain(missing).collect::<Vec<_>>().join("; ")
    }

    fn asked(&self) -> impl Iterator<Item = (&Probe, &Seen)> {
        self.plan.probes.iter().zip(&self.seen)
    }

    /// What is wrong, each thing once for each check.
    fn findings(&self) -> Vec<(Check, Finding)> {
        let mut findings: BTreeMap<(Check, Fault), Finding> = BTreeMap::new();
        for (probe, seen) in self.asked() {
            for (fault, (requests, answered)) in self.faults(probe, seen) {
                let check = fault.check(probe.check);
                let finding = Finding {
                    what: fault.told(),
                    cause: fault.cause(self.group),
                    who: probe.who.clone(),
                    others: 0,
                    requests,
                    of: seen.answers,
                    answered,
                    documentation: check.documentation(),
                    fault: fault.clone(),
                };
                let same = |known: &mut Finding| {
                    known.others += 1;
                    known.requests += requests;
                    known.of += seen.answers;
                };
                findings.entry((check, fault)).and_modify(same).or_insert(finding);
            }
        }
        findings.into_iter().map(|((check, _), finding)| (check, finding)).collect()
    }

    /// What is wrong about equal requests together: that they are in another lane now and then is one thing, and all of those that
    /// chance decides in the lane that the client wants is one.
    fn faults(&self, probe: &Probe, seen: &Seen) -> Vec<(Fault, (u64, String))> {
        let mut faults: Vec<(Fault, (u64, String))> =
            seen.faults.iter().map(|(fault, count)| (fault.clone(), count.clone())).collect();
        let is_sure = matches!(probe.expected, Expected::Lane(..));
        let mut astray = 0;
        if is_sure && probe.spoofed.is_none() && seen.lanes.len() > 1 {
            let is_certain = seen.with_headers > 0;
            faults.retain(|(fault, (count, _))| {
                let is_astray = matches!(fault, Fault::AnotherLane { .. });
                astray += if is_astray { *count } else { 0 };
                !is_astray
            });
            let lanes: Vec<String> = seen.lanes.keys().cloned().collect();
            let answered = lanes.join(" or ");
            faults.push((Fault::Flaps { lanes, is_certain }, (astray, answered)));
        }
        if let (Some(lane), Expected::Chance(_)) = (&probe.spoofed, &probe.expected)
            && seen.answers == probe.sends as u64
            && seen.lanes.get(lane) == Some(&seen.answers)
            && seen.faults.is_empty()
        {
            faults.push((Fault::Spoofed { lane: lane.clone() }, (seen.answers, lane.clone())));
        }
        faults
    }
}
