//! Lanes that get copies: what would let a copy answer, or do its work twice, is refused.

use super::{Findings, lanes::listed};
use crate::document::{Clients, Lane, Spec};

impl Findings {
    pub(super) fn mirrored(&mut self, spec: &Spec) {
        for (index, lane) in spec.lanes.iter().enumerate() {
            if let Some(mirror) = lane.mirror {
                let path = format!("spec.lanes[{index}].mirror");
                if !(1..=100).contains(&mirror.percent) {
                    self.error(format!("{path}.percent"), format!("{} is not between 1 and 100", mirror.percent));
                }
                self.stays_in(&path, lane, spec);
                self.comes_from_the_gateway(&path, spec);
                self.nobody_enters(&path, lane, spec);
            }
        }
    }

    fn stays_in(&mut self, path: &str, lane: &Lane, spec: &Spec) {
        if lane.name == spec.baseline {
            self.error(path, "the baseline answers: only another lane can get copies");
        }
        let lacking = spec.services.iter().filter(|service| !spec.holds(lane, service));
        let lacking: Vec<String> = lacking.map(|service| spec.reference(service)).collect();
        if !lacking.is_empty() {
            let message = format!(
                "a copy never falls back, or the baseline would do the same work twice: the lane must hold {} as well",
                listed(&lacking)
            );
            self.error(path, message);
        }
    }

    fn comes_from_the_gateway(&mut self, path: &str, spec: &Spec) {
        if spec.gateway.is_none() {
            self.error(path, "copies are made at the gateway: without `gateway` there are none");
        }
        if spec.weights().is_some() || spec.native_users().is_some() {
            let message = "with `weights`, or with `tagging: native`, the gateway copies before it has chosen, requests of all lanes: let \
                the filter assign users (`assign.users`)";
            self.error(path, message);
        }
    }

    /// A mirrored lane never answers.
    fn nobody_enters(&mut self, path: &str, lane: &Lane, spec: &Spec) {
        if spec.clients() == Clients::MayChoose {
            self.error(path, "a client could choose the lane, which gets copies only: say `clients: mayNot`");
        }
        let users = spec.users();
        let named = users.into_iter().flat_map(|users| &users.named).map(|named| &named.lane);
        let split = users.into_iter().flat_map(|users| &users.split).map(|share| &share.lane);
        let routes = spec.routes.iter().filter_map(|route| route.lane.as_ref());
        for (what, is_led) in [
            ("`named` in spec.assign.users", named.into_iter().any(|to| *to == lane.name)),
            ("`split` in spec.assign.users", split.into_iter().any(|to| *to == lane.name)),
            ("a route", routes.into_iter().any(|to| *to == lane.name)),
        ] {
            if is_led {
                let message =
                    format!("{what} leads to the lane `{}`, which gets copies only and never answers", lane.name);
                self.error(path, message);
            }
        }
    }
}
