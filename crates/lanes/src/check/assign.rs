//! How requests get their tags.

use std::collections::BTreeMap;

use super::Findings;
use crate::document::{
    Assign, HashFunction, Identity, Issue, Phase, Propagation, Routing, Share, Spec, Tagging, Users, Weight,
};

/// As long as a browser keeps a cookie, in milliseconds (RFC 6265bis, section 5.5).
const LONGEST: u64 = 400 * 24 * 60 * 60 * 1000;

impl Findings {
    pub(super) fn assign(&mut self, spec: &Spec, assign: &Assign) {
        if spec.gateway.is_none() {
            self.error("spec.assign", "without `gateway` nobody assigns: callers bring the tag");
        }
        match (&assign.users, &assign.weights) {
            (Some(users), None) => self.users(spec, users),
            (None, Some(weights)) => self.weights(spec, weights),
            _ => self.error(
                "spec.assign",
                "expected exactly one of `users` and `weights`; leave `assign` out if clients send the tag",
            ),
        }
    }

    fn users(&mut self, spec: &Spec, users: &Users) {
        let path = "spec.assign.users";
        if users.identity.is_empty() {
            self.error(format!("{path}.identity"), "expected at least one place to look for the identity");
        }
        for (index, identity) in users.identity.iter().enumerate() {
            let path = format!("{path}.identity[{index}]");
            match (&identity.header, &identity.cookie, &identity.query, &identity.claim) {
                (Some(header), None, None, None) => self.header(&format!("{path}.header"), header),
                (None, Some(cookie), None, None) => self.token(&format!("{path}.cookie"), cookie),
                (None, None, Some(query), None) if !query.is_empty() => {}
                (None, None, Some(_), None) => {
                    self.error(format!("{path}.query"), "expected the name of a query parameter");
                }
                (None, None, None, Some(claim)) if claim.is_empty() => {
                    self.error(format!("{path}.claim"), "expected the name of a claim, such as sub");
                }
                (None, None, None, Some(_)) if spec.filters.phase == Phase::Authn => {
                    let message =
                        "in the phase AUTHN no token is verified yet: leave `spec.filters.phase` out, or say AUTHZ";
                    self.error(format!("{path}.claim"), message);
                }
                (None, None, None, Some(_)) => {}
                _ => self.error(path.clone(), "expected exactly one of `header`, `cookie`, `query` and `claim`"),
            }
            if let Some(issue) = &identity.issue {
                let is_last = index + 1 == users.identity.len();
                self.issue(&format!("{path}.issue"), identity, issue, is_last);
            }
        }
        self.remembered(spec, users);
        self.hash(path, users);
        if users.tagging == Tagging::Native {
            self.native(spec, users);
        }
        if users.modulo == 0 {
            self.error(format!("{path}.modulo"), "expected 1 to 4294967295 buckets, not 0");
        }
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for (index, group) in users.named.iter().enumerate() {
            let path = format!("{path}.named[{index}]");
            self.known_lane(&format!("{path}.lane"), &group.lane, spec);
            for (index, user) in group.values.iter().enumerate() {
                let before = named.insert(user, &group.lane);
                if user.is_empty() {
                    self.error(format!("{path}.values[{index}]"), "the empty identity is nobody");
                } else if let Some(before) = before.filter(|lane| *lane != group.lane) {
                    self.error(
                        format!("{path}.values[{index}]"),
                        format!("`{user}` is named for the lane `{before}` before"),
                    );
                }
            }
        }
        if let Some(header) = &users.decision_header {
            let path = format!("{path}.decisionHeader");
            self.header(&path, header);
            if header.eq_ignore_ascii_case(&spec.route_header) {
                self.error(path, "is the route header: expected another, such as x-lane-decision");
            }
        }
        self.split(spec, users);
    }

    /// Whoever gets an id has none of the headers that were looked for before.
    fn remembered(&mut self, spec: &Spec, users: &Users) {
        let Propagation::Trace(trace) = spec.propagation() else { return };
        let is_it =
            |place: &Identity| place.header.as_ref().is_some_and(|header| header.eq_ignore_ascii_case(&trace.header));
        if users.issuing().is_some() && users.identity.iter().any(is_it) {
            let message = "visitors who get an id come without this header, so nothing brings their lane past the first \
                application: take one that every request has, such as x-request-id";
            self.warn("spec.propagation.trace.header", message);
        }
    }

    fn issue(&mut self, path: &str, place: &Identity, issue: &Issue, is_last: bool) {
        if place.cookie.is_none() {
            self.error(path, "only a cookie can be issued: give `cookie` beside it");
        }
        if !is_last {
            let message =
                "who comes without the cookie gets it, and no later place is ever looked at: move it to the end";
            self.error(path, message);
        }
        let age = issue.max_age.milliseconds();
        if !age.is_multiple_of(1000) || !(1000..=LONGEST).contains(&age) {
            let message =
                "expected whole seconds from `1s` to `9600h`, the 400 days that browsers keep a cookie at most";
            self.error(format!("{path}.maxAge"), message);
        }
    }

    fn hash(&mut self, path: &str, users: &Users) {
        let message = match users.hash {
            HashFunction::Fnv1a32 => "fnv1a32 takes no salt: use `hash: murmur3`, or leave the salt out",
            HashFunction::Xxh64 => "xxh64 takes a number instead of a salt: use `seed`",
            HashFunction::Murmur3 => "",
        };
        if users.salt.is_some() && !message.is_empty() {
            self.error(format!("{path}.salt"), message);
        }
        if users.seed.is_some() && users.hash != HashFunction::Xxh64 {
            self.error(format!("{path}.seed"), "only xxh64 takes a seed: use `hash: xxh64`, or with murmur3 a `salt`");
        }
    }

    /// What Envoy's routes cannot do without the filter.
    fn native(&mut self, spec: &Spec, users: &Users) {
        let path = "spec.assign.users";
        let remedy = "or leave `tagging: native` out, and the filter does it";
        if users.hash != HashFunction::Xxh64 {
            self.error(format!("{path}.hash"), format!("Envoy's routes hash by XXH64: say `hash: xxh64`, {remedy}"));
        }
        if users.seed.is_some_and(|seed| seed > 0) {
            self.error(format!("{path}.seed"), format!("Envoy's routes hash with the seed 0: leave it out, {remedy}"));
        }
        if !matches!(users.identity.as_slice(), [Identity { header: Some(_), .. }]) {
            let message = format!("Envoy's routes hash one header: name it and no other place, {remedy}");
            self.error(format!("{path}.identity"), message);
        }
        if let Some(last) = users.identity.len().checked_sub(1).filter(|_| users.issuing().is_some()) {
            let message = format!("Envoy's routes issue no cookie: leave it out, {remedy}");
            self.error(format!("{path}.identity[{last}].issue"), message);
        }
        if users.decision_header.is_some() {
            let message = format!("Envoy's routes do not say why they decide: leave it out, {remedy}");
            self.error(format!("{path}.decisionHeader"), message);
        }
        let most = i32::MAX.unsigned_abs();
        if users.modulo < 2 || users.modulo > most {
            let message = format!("the weights of a route are 2 to {most} together: choose such a number, {remedy}");
            self.error(format!("{path}.modulo"), message);
        }
        if spec.mesh.routing == Routing::GatewayApi {
            let message = format!("an HTTPRoute is not rendered with it: say `mesh.routing: virtualService`, {remedy}");
            self.error(format!("{path}.tagging"), message);
        }
        let header = users.identity.first().and_then(|identity| identity.header.as_deref());
        for (index, route) in spec.routes.iter().enumerate().filter(|(_, route)| route.lane.is_none()) {
            let asks = |name: &String| header.is_some_and(|header| name.eq_ignore_ascii_case(header));
            if route.redirect.is_none() && route.r#match.iter().flat_map(|one| one.headers.keys()).any(asks) {
                let message = format!("asks for the identity, which Envoy's routes hash: give it a `lane`, {remedy}");
                self.error(format!("spec.routes[{index}].match"), message);
            }
        }
    }

    fn split(&mut self, spec: &Spec, users: &Users) {
        let path = "spec.assign.users.split";
        for (index, share) in users.split.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.known_lane(&format!("{path}.lane"), &share.lane, spec);
            if share.lane == spec.baseline {
                self.error(
                    format!("{path}.lane"),
                    "the baseline gets what the other lanes leave: give their shares only",
                );
            }
            if users.split.iter().take(index).any(|other| other.lane == share.lane) {
                self.error(format!("{path}.lane"), format!("the lane `{}` has a share before", share.lane));
            }
            self.share(&path, share, users.modulo);
        }
        let sum: f64 = users.split.iter().map(|share| share.up_to.unwrap_or(share.percent)).sum();
        if sum > 100.0 {
            self.error(path, format!("the shares, at their largest, are {sum} % together"));
        }
        if users.split.len() > 2 && users.split.iter().any(|share| share.up_to.is_none()) {
            let message = "with three lanes or more beside the baseline, each share needs `upTo`: it keeps a ramp from moving \
                users of other lanes";
            self.error(path, message);
        }
    }

    fn share(&mut self, path: &str, share: &Share, modulo: u32) {
        for (field, percent) in [("percent", Some(share.percent)), ("upTo", share.up_to)] {
            let Some(percent) = percent else { continue };
            let path = format!("{path}.{field}");
            let buckets = percent * f64::from(modulo) / 100.0;
            if !(0.0..=100.0).contains(&percent) {
                self.error(path, format!("{percent} is not between 0 and 100"));
            } else if (buckets - buckets.round()).abs() > 1e-6 {
                let message = format!("{percent} % of {modulo} buckets is no whole number: a larger `modulo` is finer");
                self.error(path, message);
            }
        }
        if share.up_to.is_some_and(|up_to| up_to < share.percent) {
            self.error(format!("{path}.upTo"), "is less than the share is now");
        }
    }

    fn weights(&mut self, spec: &Spec, weights: &[Weight]) {
        let path = "spec.assign.weights";
        for (index, weight) in weights.iter().enumerate() {
            let path = format!("{path}[{index}].lane");
            self.known_lane(&path, &weight.lane, spec);
            if weights.iter().take(index).any(|other| other.lane == weight.lane) {
                self.error(path, format!("the lane `{}` has a weight before", weight.lane));
            }
        }
        let sum: u64 = weights.iter().map(|weight| u64::from(weight.weight)).sum();
        if sum != 100 {
            self.error(path, format!("the weights are {sum} together, not 100"));
        }
    }
}
