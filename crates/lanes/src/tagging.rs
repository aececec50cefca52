//! From a lane group to the configuration of the hash-tagging filter.

use serde_json::{Value, json};

use crate::{
    document::{Clients, HashFunction, Identity, Share, Spec, Users},
    json::with,
};

/// The buckets of a lane: `from <= bucket < to`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Region {
    /// The lane.
    pub lane: String,
    /// The first bucket.
    pub from: u32,
    /// The bucket after the last one.
    pub to: u32,
}

/// Where each lane's users are, of all buckets.
///
/// A ramp must take users from the baseline only. One lane grows upwards from bucket 0; of two, the second grows downwards
/// from the last bucket; with `upTo`, each lane grows inside a region that is kept for it.
pub fn regions(users: &Users) -> Vec<Region> {
    let buckets = |percent: f64| (percent * f64::from(users.modulo) / 100.0).round() as u32;
    let is_kept = users.split.iter().all(|share| share.up_to.is_some());
    let mut start = 0;
    let region = |(index, share): (usize, &Share)| {
        let size = buckets(share.percent);
        let from = if index > 0 && !is_kept { users.modulo.saturating_sub(size) } else { start };
        start += buckets(share.up_to.unwrap_or(share.percent));
        Region { lane: share.lane.clone(), from, to: from.saturating_add(size) }
    };
    users.split.iter().enumerate().map(region).collect()
}

/// All buckets in their order, each part with its lane; parts of no bucket are left out. There are two at least, of one lane if
/// need be: a route with several destinations stays one.
pub(crate) fn parts(users: &Users, baseline: &str) -> Vec<(String, u32)> {
    let mut parts: Vec<(String, u32)> = Vec::new();
    let mut next = 0;
    let mut regions: Vec<Region> = regions(users).into_iter().filter(|region| region.from < region.to).collect();
    regions.sort_by_key(|region| region.from);
    for Region { lane, from, to } in regions {
        parts.extend((next < from).then(|| (baseline.to_owned(), from - next)));
        parts.push((lane, to - from));
        next = to;
    }
    parts.extend((next < users.modulo).then(|| (baseline.to_owned(), users.modulo - next)));
    if let [(lane, buckets)] = parts.as_slice() {
        parts = vec![(lane.clone(), 1), (lane.clone(), buckets.saturating_sub(1))];
    }
    parts
}

/// The `pluginConfig` of the gateway's filter; `None` if users are not what lanes are assigned by.
pub fn plugin_config(spec: &Spec) -> Option<Value> {
    let users = spec.users()?;
    let identity = match users.identity.as_slice() {
        // ASM's shape, where it says the same.
        [Identity { header: Some(header), .. }] => json!({ "header": header }),
        places => json!({"identity": places.iter().map(identity).collect::<Vec<_>>()}),
    };
    let named = users.named.iter().map(|named| json!({"values": named.values, "tagValue": named.lane}));
    let named = if users.named.is_empty() { json!({}) } else { json!({"users": named.collect::<Vec<_>>()}) };
    let hash = match users.hash {
        HashFunction::Fnv1a32 => json!({}),
        HashFunction::Murmur3 => json!({"hash": "murmur3"}),
        HashFunction::Xxh64 => json!({"hash": "xxh64"}),
    };
    let seed = users.seed.map_or_else(|| json!({}), |seed| json!({ "seed": seed }));
    let salt = users.salt.as_ref().map_or_else(|| json!({}), |salt| json!({ "salt": salt }));
    let buckets = json!({"modulo": users.modulo, "tagHeader": spec.route_header, "policies": policies(spec, users)});
    // The gateway may serve other lane groups, whose requests have another host, and whose filter may have tagged them.
    let hosts = spec.gateway.as_ref().filter(|gateway| !gateway.serves_every_host()).map(|gateway| &gateway.hosts);
    let (switch, hosts, incoming) = match (hosts, spec.clients()) {
        (None, Clients::MayChoose) => (json!({}), json!({}), json!({})),
        (None, Clients::MayNot) => (json!({"clients": "mayNot"}), json!({}), json!({})),
        (Some(hosts), Clients::MayChoose) => (json!({}), json!({"match": {"hosts": hosts}}), json!({})),
        (Some(hosts), Clients::MayNot) => (json!({}), json!({"match": {"hosts": hosts}}), json!({"incoming": "strip"})),
    };
    let decision = users.decision_header.as_ref().map_or_else(|| json!({}), |name| json!({ "decisionHeader": name }));
    let rule =
        [hosts, identity, named, hash, salt, seed, buckets, incoming, decision].into_iter().fold(json!({}), with);
    Some(with(switch, json!({ "rules": [rule] })))
}

fn policies(spec: &Spec, users: &Users) -> Vec<Value> {
    let policy = |region: Region| match region {
        // How a ramp is rolled back.
        Region { lane, from, to } if from == to => json!({"range": 0, "tagValue": lane}),
        Region { lane, from: 0, to } => json!({"range": to, "tagValue": lane}),
        Region { lane, from, to } => json!({"from": from, "range": to, "tagValue": lane}),
    };
    let baseline = json!({"range": users.modulo, "tagValue": spec.baseline});
    let regions = regions(users);
    let all_taken = regions.iter().map(|region| region.to - region.from).sum::<u32>() == users.modulo;
    regions.into_iter().map(policy).chain((!all_taken).then_some(baseline)).collect()
}

fn identity(identity: &Identity) -> Value {
    match identity {
        Identity { header: Some(name), .. } => json!({ "header": name }),
        Identity { cookie: Some(name), issue: Some(issue), .. } => {
            json!({"cookie": name, "issueMaxAgeSeconds": issue.max_age.milliseconds() / 1000})
        }
        Identity { cookie: Some(name), .. } => json!({ "cookie": name }),
        Identity { claim: Some(name), .. } => json!({ "claim": name }),
        Identity { query, .. } => json!({ "query": query }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(split: Value) -> Users {
        serde_json::from_value(json!({"identity": [{"header": "id"}], "split": split})).unwrap()
    }

    fn bounds(split: Value) -> Vec<(u32, u32)> {
        regions(&users(split)).into_iter().map(|region| (region.from, region.to)).collect()
    }

    #[test]
    fn one_lane_grows_upwards_and_a_second_downwards() {
        assert_eq!(bounds(json!([{"lane": "a", "percent": 20}])), [(0, 20)]);
        assert_eq!(bounds(json!([{"lane": "a", "percent": 20}, {"lane": "b", "percent": 10}])), [(0, 20), (90, 100)]);
        assert_eq!(bounds(json!([{"lane": "a", "percent": 50}, {"lane": "b", "percent": 50}])), [(0, 50), (50, 100)]);
    }

    #[test]
    fn the_parts_are_all_buckets_in_their_order() {
        let parts = |split: Value| -> Vec<(String, u32)> { super::parts(&users(split), "base") };
        let of =
            |parts: &[(&str, u32)]| parts.iter().map(|(lane, size)| ((*lane).to_owned(), *size)).collect::<Vec<_>>();
        assert_eq!(parts(json!([{"lane": "a", "percent": 20}])), of(&[("a", 20), ("base", 80)]));
        assert_eq!(parts(json!([{"lane": "a", "percent": 0}])), of(&[("base", 1), ("base", 99)]));
        assert_eq!(parts(json!([{"lane": "a", "percent": 100}])), of(&[("a", 1), ("a", 99)]));
        let two = json!([{"lane": "a", "percent": 20}, {"lane": "b", "percent": 10}]);
        assert_eq!(parts(two), of(&[("a", 20), ("base", 70), ("b", 10)]));
        let kept = json!([{"lane": "a", "percent": 10, "upTo": 40}, {"lane": "b", "percent": 5, "upTo": 60}]);
        assert_eq!(parts(kept), of(&[("a", 10), ("base", 30), ("b", 5), ("base", 55)]));
    }

    #[test]
    fn a_kept_region_does_not_move_when_another_grows() {
        let three = |a: u32| {
            bounds(json!([
                {"lane": "a", "percent": a, "upTo": 40},
                {"lane": "b", "percent": 10, "upTo": 30},
                {"lane": "c", "percent": 5, "upTo": 30},
            ]))
        };
        assert_eq!(three(10), [(0, 10), (40, 50), (70, 75)]);
        assert_eq!(three(40), [(0, 40), (40, 50), (70, 75)]);
    }
}
