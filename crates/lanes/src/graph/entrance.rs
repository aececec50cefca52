//! Who enters which lane, in a few words.

use crate::{
    document::{Clients, HashFunction, Identity, Propagation, Spec, Untagged, Users},
    picture::{listed, number},
    tagging,
};

/// How many of the gateway's hosts are shown.
const HOSTS: usize = 3;

/// A lane's share of a hundred; `None` if that is up to who sends the requests.
pub(super) fn share(spec: &Spec, lane: &str) -> Option<f64> {
    if let Some(weights) = spec.weights() {
        let of_lane = weights.iter().filter(|weight| weight.lane == lane);
        return Some(of_lane.map(|weight| f64::from(weight.weight)).sum());
    }
    let users = spec.users()?;
    let regions = tagging::regions(users);
    let buckets = |lane: &str| regions.iter().filter(|r| r.lane == lane).map(|r| r.to - r.from).sum::<u32>();
    let taken: u32 = regions.iter().map(|region| region.to - region.from).sum();
    let rest = if lane == spec.baseline { users.modulo.saturating_sub(taken) } else { 0 };
    Some(100.0 * f64::from(buckets(lane) + rest) / f64::from(users.modulo.max(1)))
}

/// Who enters a lane: its buckets, who is named, and the routes that lead there whatever the tag.
pub(super) fn entrance(spec: &Spec, lane: &str) -> Vec<String> {
    let is_baseline = lane == spec.baseline;
    let users = spec.users();
    let regions = users.map(tagging::regions).unwrap_or_default();
    let mut lines: Vec<String> = if is_baseline { vec!["baseline".to_owned()] } else { Vec::new() };
    lines.extend(regions.iter().filter(|region| region.lane == lane).map(buckets));
    let named: Vec<&str> = users.into_iter().flat_map(|users| named(users, lane)).collect();
    if !named.is_empty() {
        lines.push(format!("named: {}", listed(named)));
    }
    let pinned = spec.routes.iter().filter(|route| route.lane.as_deref() == Some(lane) && route.redirect.is_none());
    let pinned: Vec<&str> = pinned.map(|route| route.name.as_str()).collect();
    if !pinned.is_empty() {
        let noun = if pinned.len() == 1 { "route" } else { "routes" };
        lines.push(format!("{noun} {}", listed(pinned)));
    }
    if let Some((_, percent)) = spec.mirrored().find(|(mirrored, _)| mirrored.name == lane) {
        lines.push(format!("copies of {percent} %, no answers"));
    }
    if is_baseline && spec.untagged() == Untagged::Baseline && spec.weights().is_none() {
        lines.extend(match users {
            Some(users) if users.issuing().is_some() => None,
            Some(_) => Some("who has no identity".to_owned()),
            None => Some("who has no tag".to_owned()),
        });
    }
    lines
}

fn named<'a>(users: &'a Users, lane: &str) -> impl Iterator<Item = &'a str> {
    let named: Vec<_> = users.named.iter().filter(|named| named.lane == lane).collect();
    named.into_iter().flat_map(|named| &named.values).map(String::as_str)
}

fn buckets(region: &tagging::Region) -> String {
    match region.to - region.from {
        0 => "no bucket".to_owned(),
        1 => format!("bucket {}", region.from),
        _ => format!("buckets {}–{}", region.from, region.to - 1),
    }
}

/// What kind of lanes they are, and how the tag travels.
pub(super) fn about(spec: &Spec) -> String {
    let mode = match spec.mode {
        crate::document::Mode::Strict => "strict",
        crate::document::Mode::Permissive => "permissive",
    };
    let header = &spec.route_header;
    match spec.propagation() {
        Propagation::Trace(trace) => format!("{mode} lanes · routes follow {header}, remembered by {}", trace.header),
        Propagation::Baggage(_) => format!("{mode} lanes · routes follow {header}, which travels in the baggage"),
        Propagation::Application => format!("{mode} lanes · routes follow {header}, which applications forward"),
        Propagation::SourceLabels => format!("{mode} lanes · routes follow the labels of the calling pod"),
    }
}

/// Who sends requests, and what is looked at.
pub(super) fn clients(spec: &Spec) -> Vec<String> {
    let header = &spec.route_header;
    if spec.gateway.is_none() {
        return vec!["callers".to_owned(), "inside the mesh, with".to_owned(), header.clone()];
    }
    if let Some(users) = spec.users() {
        let place = |(index, identity): (usize, &Identity)| {
            let before = if index == 0 { "" } else { "else " };
            format!("{before}{}", place(identity))
        };
        return ["users".to_owned()].into_iter().chain(users.identity.iter().enumerate().map(place)).collect();
    }
    let says: &[&str] = match (spec.weights(), spec.clients()) {
        (Some(_), _) => &[],
        (None, Clients::MayChoose) => &["with the tag in", header],
        (None, Clients::MayNot) => &["whose own tag", "counts for nothing"],
    };
    ["requests"].iter().chain(says).map(|text| (*text).to_owned()).collect()
}

fn place(identity: &Identity) -> String {
    match identity {
        Identity { header: Some(name), .. } => format!("header {name}"),
        Identity { cookie: Some(name), issue: Some(_), .. } => format!("cookie {name}, or a new one"),
        Identity { cookie: Some(name), .. } => format!("cookie {name}"),
        Identity { claim: Some(name), .. } => format!("claim {name}"),
        Identity { query, .. } => format!("query {}", query.as_deref().unwrap_or_default()),
    }
}

/// What the requests come to first, and what it does.
pub(super) fn gateway(spec: &Spec) -> Vec<String> {
    let Some(gateway) = &spec.gateway else { return vec!["proxies".to_owned(), "of the callers".to_owned()] };
    let hosts = gateway.hosts.iter().filter(|_| !gateway.serves_every_host());
    let more = hosts.clone().count().saturating_sub(HOSTS);
    let hosts = hosts.take(HOSTS).cloned().chain((more > 0).then(|| format!("{more} more")));
    let does = match (spec.users(), spec.weights()) {
        (Some(users), _) => {
            let hash = match users.hash {
                HashFunction::Fnv1a32 => "FNV-1a",
                HashFunction::Murmur3 => "MurmurHash3",
                HashFunction::Xxh64 => "XXH64",
            };
            vec![hash.to_owned(), format!("{} buckets", number(f64::from(users.modulo)))]
        }
        (None, Some(_)) => vec!["by chance".to_owned()],
        (None, None) => vec!["by tag".to_owned()],
    };
    ["gateway".to_owned()].into_iter().chain(hosts).chain(does).collect()
}
