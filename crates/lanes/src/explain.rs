//! What becomes of a request: its lane, why, and which version of every service it reaches.

mod baggage;
mod chain;
mod client;
mod route;

use std::borrow::Cow;

use hash_tagging::{Reason, Tagger};
use header_edit::{Edit, HeaderList, HeaderName, RequestHeaders};
use plugin_config::Refused;
use serde::Serialize;

use crate::{
    document::{Clients, Identity, Lane, LaneGroup, Route, Spec, Untagged, Users, Weight},
    tagging,
};

pub(crate) use chain::chain;
pub use chain::{Hop, Why};
pub use client::{identify, served};

/// What becomes of one request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explanation {
    /// The lane; `None` if the request enters none.
    pub lane: Option<String>,
    /// The route that takes the request; `None` if there is none.
    pub route: Option<String>,
    /// Why it is that lane, in words.
    pub because: String,
    /// The bucket and the number of buckets, where the hash was asked.
    pub bucket: Option<(u32, u32)>,
    /// What answers at each service, in the order of the lane group. Empty if the request enters no lane.
    pub chain: Vec<Hop>,
    /// The lanes that get a copy of it as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Copied>,
}

/// A lane that gets copies of such requests.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Copied {
    /// The lane.
    pub lane: String,
    /// Of how many of a hundred.
    pub percent: u8,
}

const BROUGHT: &str = "the request brought its tag";

/// Explains a request, which has `:method`, `:path` and `:authority` among its headers.
///
/// # Errors
/// The lane group gives a configuration that the filter refuses, which a valid one never does.
pub fn explain(group: &LaneGroup, request: &HeaderList) -> Result<Explanation, Refused> {
    let spec = &group.spec;
    let route_header = spec.route_header.to_ascii_lowercase();
    let is_stripped = spec.gateway.is_some() && spec.clients() == Clients::MayNot;
    let is_stripped = is_stripped && request.first(&route_header).is_some();
    let mut request = request.clone();
    let (mut because, mut bucket) = (BROUGHT.to_owned(), None);
    let mut issued = None;
    if let Some(config) = tagging::plugin_config(spec) {
        let tagger = Tagger::parse(config.to_string().as_bytes())?;
        let verdict = tagger.on_request(&request);
        if let Some(decision) = verdict.decisions.first() {
            bucket = decision.bucket.map(|bucket| (bucket, decision.rule.modulo()));
            because = decided(decision);
            let issuing = spec.users().filter(|_| decision.reason == Reason::Missing);
            issued = issuing.and_then(|users| Some((users, users.issuing()?)));
            if decision.tag.is_none() {
                because = format!("{because}, and {BROUGHT}");
            }
        }
        let edits = verdict.edits;
        let mut arrived = request.clone();
        arrived.apply(edits);
        request = arrived;
    } else if let (true, Ok(header)) = (is_stripped, HeaderName::parse(&spec.route_header)) {
        request.apply(vec![Edit::Remove(Cow::Owned(header))]);
    }

    let host = request.first(":authority").map(Cow::into_owned).unwrap_or_default();
    let nowhere = |because: &str, bucket| Explanation {
        lane: None,
        route: None,
        because: because.to_owned(),
        bucket,
        chain: Vec::new(),
        copies: Vec::new(),
    };
    if spec.gateway.as_ref().is_some_and(|gateway| !gateway.serves(&host)) {
        return Ok(nowhere("the gateway does not serve the host for this lane group", bucket));
    }
    // Several lines are one value to a route.
    let tag = request.value(&route_header).map(Cow::into_owned);
    let tagged = spec.lanes.iter().find(|lane| Some(lane.name.as_bytes()) == tag.as_deref());
    if spec.gateway.is_none() {
        return Ok(inside(spec, tagged));
    }
    let weights = spec.weights();
    // Where requests without a tag are rejected, a route that goes by the tag leaves them to the routes that follow.
    let is_by_tag = |route: &&Route| {
        let leads_by_tag = route.redirect.is_none() && route.lane.is_none() && weights.is_none();
        leads_by_tag && spec.untagged() == Untagged::Reject
    };
    let untagged = |who: &str| {
        let removed =
            if is_stripped { "; the one that it brought is taken away, as clients may not choose" } else { "" };
        format!("{}{removed}", untagged(spec, who))
    };
    let mut routes = spec.routes.iter().filter(|route| route.takes(&request));
    let first = routes.clone().next();
    let has_tag = tagged.is_some() || issued.is_some();
    let Some(route) = routes.find(|route| has_tag || !is_by_tag(route)).or(first) else {
        return Ok(nowhere("no route takes the request, so the gateway answers 404", bucket));
    };
    if route.redirect.is_some() {
        let redirected = nowhere("the route sends the client elsewhere", bucket);
        return Ok(Explanation { route: Some(route.name.clone()), ..redirected });
    }
    let lane = match (&route.lane, tagged) {
        (None, _) if weights.is_some() => {
            because = by_chance(weights.into_iter().flatten());
            None
        }
        (Some(lane), _) => {
            because = format!("the route `{}` sends it there, whatever its tag", route.name);
            Some(lane.clone())
        }
        (None, _) if let Some((users, place)) = issued => {
            because = by_new_id(spec, users, place);
            None
        }
        (None, Some(lane)) => Some(lane.name.clone()),
        (None, None) => {
            because = untagged("gateway");
            (spec.untagged() == Untagged::Baseline).then(|| spec.baseline.clone())
        }
    };
    let mut chain = lane.as_ref().map(|lane| chain::chain(spec, lane)).unwrap_or_default();
    let is_tagged = route.lane.is_some() || tagged.is_some();
    if let Some(carried) = baggage::carried(spec, &request).filter(|_| !is_tagged && !chain.is_empty()) {
        because = format!("{because}; behind `{}` the lane in its baggage counts", service(route));
        let first = chain.iter().position(|hop| hop.service == service(route)).unwrap_or_default();
        let behind = chain::chain(spec, &carried.name).into_iter().enumerate().filter(|(index, _)| *index > first);
        chain = chain.into_iter().take(first + 1).chain(behind.map(|(_, hop)| hop)).collect();
    }
    let is_copied = lane.as_ref() == Some(&spec.baseline);
    let copied = |(lane, percent): (&Lane, u8)| Copied { lane: lane.name.clone(), percent };
    let copies = spec.mirrored().filter(|_| is_copied).map(copied).collect();
    Ok(Explanation { lane, route: Some(route.name.clone()), because, bucket, chain, copies })
}

/// What a route that is no redirect leads to.
fn service(route: &Route) -> &str {
    route.service.as_deref().unwrap_or_default()
}

/// Without a gateway, the first hop is one between services.
fn inside(spec: &Spec, tagged: Option<&Lane>) -> Explanation {
    let (lane, because) = match tagged {
        Some(lane) => (Some(lane.name.clone()), BROUGHT.to_owned()),
        None => {
            let lane = (spec.untagged() == Untagged::Baseline).then(|| spec.baseline.clone());
            (lane, untagged(spec, "proxy of the caller"))
        }
    };
    let chain = lane.as_ref().map(|lane| chain::chain(spec, lane)).unwrap_or_default();
    Explanation { lane, route: None, because, bucket: None, chain, copies: Vec::new() }
}

fn untagged(spec: &Spec, who: &str) -> String {
    let answer = match spec.untagged() {
        Untagged::Baseline => String::new(),
        Untagged::Reject => format!(", so the {who} answers 404"),
    };
    format!("it has no tag of this lane group{answer}")
}

fn by_chance<'a>(weights: impl Iterator<Item = &'a Weight>) -> String {
    let shares: Vec<String> = weights.map(|share| format!("{} % {}", share.weight, share.lane)).collect();
    format!("the gateway chooses by chance, whatever the request: {}", shares.join(", "))
}

fn by_new_id(spec: &Spec, users: &Users, place: &Identity) -> String {
    let shares = shares(&spec.baseline, users).into_iter().map(|(lane, percent)| format!("{percent} % {lane}"));
    let cookie = place.cookie.as_deref().unwrap_or_default();
    let shares = shares.collect::<Vec<_>>().join(", ");
    format!(
        "it has no identity, so the gateway gives it a random one as the cookie `{cookie}`, whose lane it is in: {shares}"
    )
}

/// The lanes of a split with their shares of a hundred; the baseline has the rest.
pub(crate) fn shares<'a>(baseline: &'a str, users: &'a Users) -> Vec<(&'a str, f64)> {
    let rest = 100.0 - users.split.iter().map(|share| share.percent).sum::<f64>();
    let split = users.split.iter().map(|share| (share.lane.as_str(), share.percent));
    [(baseline, rest.max(0.0))].into_iter().chain(split).collect()
}

fn decided(decision: &hash_tagging::Decision<'_>) -> String {
    match (decision.reason, decision.bucket) {
        (Reason::User, _) => "the user is named".to_owned(),
        (Reason::Hash, Some(bucket)) => format!("bucket {bucket} of {}", decision.rule.modulo()),
        (Reason::Missing, _) => "it has no identity".to_owned(),
        (reason, _) => reason.to_string(),
    }
}
