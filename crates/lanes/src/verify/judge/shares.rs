//! How many came to which lane, and what that says.

use super::{Judge, Seen};
use crate::{
    explain,
    verify::{
        ERROR_OF_A_RUN,
        check::Check,
        fault::Fault,
        plan::Probe,
        report::{Finding, Share},
        statistics::interval,
    },
};

impl Judge<'_> {
    pub(super) fn shares(&self) -> Vec<Share> {
        let spec = &self.group.spec;
        let (check, expected): (_, Vec<(&str, f64)>) = match (spec.weights(), spec.users()) {
            (Some(weights), _) => (
                Check::ShareOfLane,
                weights.iter().map(|weight| (weight.lane.as_str(), f64::from(weight.weight))).collect(),
            ),
            (None, Some(users)) => (Check::SampledUsers, explain::shares(&spec.baseline, users)),
            (None, None) => return Vec::new(),
        };
        let asked: Vec<&Seen> = self.asked().filter(|(probe, _)| probe.check == check).map(|(_, seen)| seen).collect();
        // A user counts once, whatever was asked twice.
        let count = |lane: &str| -> u64 {
            let of = |seen: &&Seen| seen.lanes.get(lane).copied().unwrap_or_default();
            match check {
                Check::SampledUsers => asked.iter().filter(|seen| of(seen) * 2 > seen.answers).count() as u64,
                _ => asked.iter().map(of).sum(),
            }
        };
        let of = match check {
            Check::SampledUsers => asked.len() as u64,
            _ => asked.iter().map(|seen| seen.lanes.values().sum::<u64>()).sum(),
        };
        if of == 0 {
            return Vec::new();
        }
        let error = ERROR_OF_A_RUN / 2.0 / expected.len().max(1) as f64;
        let share = |(lane, expected): (&str, f64)| {
            let count = count(lane);
            let (from, to) = interval(count, of, error);
            let percent = count as f64 * 100.0 / of as f64;
            Share { lane: lane.to_owned(), count, of, percent, interval: (from * 100.0, to * 100.0), expected }
        };
        expected.into_iter().map(share).collect()
    }

    /// Those whose interval does not have what the group says.
    pub(super) fn wrong_shares(&self, shares: &[Share]) -> Vec<(Check, Finding)> {
        // Whose bucket is whose is known of every user: chance made the sample uneven, if all of them are where they belong.
        let is_known = self.group.spec.users().is_some();
        let is_astray =
            |(_, seen): (&Probe, &Seen)| seen.faults.keys().any(|fault| matches!(fault, Fault::AnotherLane { .. }));
        if is_known && !self.asked().any(is_astray) {
            return Vec::new();
        }
        let is_wrong = |share: &&Share| share.expected < share.interval.0 || share.interval.1 < share.expected;
        let finding = |share: &Share| {
            let fault = Fault::Share { lane: share.lane.clone() };
            let (from, to) = share.interval;
            let finding = Finding {
                what: format!(
                    "lane {} has {:.1} %, which is {from:.1} to {to:.1} % for all, and not {} %",
                    share.lane, share.percent, share.expected
                ),
                cause: fault.cause(self.group),
                who: if is_known { "the sampled users" } else { "clients without a tag" }.to_owned(),
                others: 0,
                requests: share.count,
                of: share.of,
                answered: share.lane.clone(),
                documentation: Check::ShareOfLane.documentation(),
                fault,
            };
            (Check::ShareOfLane, finding)
        };
        shares.iter().filter(is_wrong).map(finding).collect()
    }
}
