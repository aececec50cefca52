//! Clients that send what they may not choose by.

use plugin_config::Refused;

use super::{Draft, Expected, Planner, REPEATS};
use crate::{
    document::{Clients, Propagation},
    verify::{ERROR_OF_A_RUN, check::Check, users},
};

/// How many lanes are spoofed.
const LANES: usize = 8;
/// The part of the run's error that is this check's.
const ERROR: f64 = ERROR_OF_A_RUN / 2.0 / (4 * LANES) as f64;
/// Beyond so many requests, a lane that is likely anyway is not asked for.
const MOST: f64 = 60.0;

impl Planner<'_> {
    pub(super) fn edge(&mut self) -> Result<(), Refused> {
        let spec = &self.group.spec;
        if spec.gateway.is_none() || spec.clients() == Clients::MayChoose {
            for check in [Check::SpoofedTag, Check::SpoofedBaggage] {
                self.unchecked(check, "the group lets clients choose");
            }
            return Ok(());
        }
        let header = spec.route_header.to_ascii_lowercase();
        let key = match spec.propagation() {
            Propagation::Baggage(baggage) => Some(baggage.key.unwrap_or_else(|| header.clone())),
            _ => None,
        };
        if key.is_none() {
            self.unchecked(Check::SpoofedBaggage, "the group's lanes are not carried in baggage");
        }
        let lanes: Vec<String> = spec.lanes.iter().take(LANES).map(|lane| lane.name.clone()).collect();
        for lane in lanes {
            for (who, draft) in self.clients()? {
                let mut tagged = draft.clone();
                tagged.headers.push(header.as_str(), lane.as_str());
                self.spoof(Check::SpoofedTag, format!("{who} that sends {header}: {lane}"), tagged, &lane)?;
                if let Some(key) = &key {
                    let mut tagged = draft;
                    tagged.headers.push("baggage", format!("{key}={lane}"));
                    let who = format!("{who} that sends baggage: {key}={lane}");
                    self.spoof(Check::SpoofedBaggage, who, tagged, &lane)?;
                }
            }
        }
        for check in [Check::SpoofedTag, Check::SpoofedBaggage] {
            let is_known = self.plan.probes.iter().any(|probe| probe.check == check)
                || self.plan.unchecked.iter().any(|(unchecked, _)| *unchecked == check);
            if !is_known {
                self.unchecked(check, "everybody is in the lanes that could be asked for");
            }
        }
        Ok(())
    }

    /// Somebody without a name, and a user of the baseline.
    fn clients(&self) -> Result<Vec<(String, Draft)>, Refused> {
        let mut clients = vec![("a client".to_owned(), self.draft())];
        if let Some(place) = self.group.spec.users().and_then(users::sendable)
            && let Some(user) = users::of_baseline(self.group)?
        {
            let draft = self.of_user(place, &user);
            clients.push((user, draft));
        }
        Ok(clients)
    }

    /// Adds the request, if it would not come to that lane anyway, or leave its own for the baseline at most: so does everybody
    /// whose lane is lost.
    fn spoof(&mut self, check: Check, who: String, draft: Draft, lane: &str) -> Result<(), Refused> {
        let sends = match self.expected(self.explain(draft.clone())?.1) {
            Expected::Lane(expected, _) if expected == lane || lane == self.group.spec.baseline => return Ok(()),
            Expected::Lane(..) | Expected::Nowhere => REPEATS,
            Expected::Chance(lanes) => {
                let share = lanes.iter().find(|(name, ..)| name == lane).map_or(0.0, |(_, share, _)| *share);
                // So many that they are hardly ever all in that lane by chance.
                let needed = if share == 0.0 { 1.0 } else { (ERROR.ln() / (share / 100.0).ln()).ceil() };
                if !(0.0..=MOST).contains(&needed) {
                    return Ok(());
                }
                REPEATS.max(needed as usize)
            }
        };
        self.add(check, who, draft, sends)?;
        if let Some(probe) = self.plan.probes.last_mut() {
            probe.spoofed = Some(lane.to_owned());
        }
        Ok(())
    }
}
