//! Lane groups that assign by user, in all their variety.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::draw::{HASHES, SALTS, TAG_HEADERS, TAGS, USERS, chance, identity, pick, several};

/// From one bucket to all that there are.
const MODULOS: [u32; 9] = [1, 2, 10, 100, 128, 1000, 65_536, 4_294_967_200, u32::MAX];

pub(crate) fn draw(rng: &mut Rng) -> Value {
    let lanes = several(rng, &TAGS, TAGS.len());
    let lane = |name| json!({"name": name, "labels": {"lane": name}, "services": ["mocka"]});
    json!({
        "apiVersion": "trafficlanes.dev/v1alpha1",
        "kind": "LaneGroup",
        "metadata": {"name": "random"},
        "spec": {
            "mode": "permissive",
            "gateway": {"selector": {"istio": "ingressgateway"}},
            "routeHeader": pick(rng, &TAG_HEADERS),
            "services": [{"name": "mocka", "port": 8000}],
            "baseline": lanes[0],
            "lanes": lanes.iter().map(lane).collect::<Vec<_>>(),
            "routes": [{"name": "everybody", "service": "mocka"}],
            // So that a request without a tag is in no lane: elsewhere the baseline says nothing about the tag.
            "untagged": "reject",
            "assign": {"users": users(rng, &lanes)},
            "clients": pick(rng, &["mayChoose", "mayNot"]),
        },
    })
}

fn users(rng: &mut Rng, lanes: &[&str]) -> Value {
    let modulo = pick(rng, &MODULOS);
    let hash = pick(rng, &HASHES);
    let salt = (hash == "murmur3" && chance(rng, 70)).then(|| pick(rng, &SALTS));
    let mut named: Vec<(&str, Vec<&str>)> = lanes.iter().map(|lane| (*lane, Vec::new())).collect();
    for user in USERS {
        if chance(rng, 40) {
            let lane = rng.usize(..named.len());
            named[lane].1.push(user);
        }
    }
    named.retain(|(_, users)| !users.is_empty());
    let named = named.into_iter().map(|(lane, users)| json!({"values": users, "lane": lane}));
    json!({
        "identity": identity(rng),
        "hash": hash,
        "salt": salt,
        "modulo": modulo,
        "named": named.collect::<Vec<_>>(),
        "split": split(rng, &lanes[1..], modulo),
    })
}

/// Shares that fit into a hundred percent even where they are largest.
fn split(rng: &mut Rng, lanes: &[&str], modulo: u32) -> Vec<Value> {
    let lanes = &lanes[..rng.usize(..=lanes.len())];
    let is_whole = |percent: &f64| (percent * f64::from(modulo) / 100.0).fract() == 0.0;
    let percents: Vec<f64> = (0..=800).map(|eighths| f64::from(eighths) / 8.0).filter(is_whole).collect();
    let mut left = 100.0;
    let up_to = |rng: &mut Rng, most: f64| {
        let fitting: Vec<f64> = percents.iter().copied().filter(|percent| *percent <= most).collect();
        pick(rng, &fitting)
    };
    let share = |lane: &&str| {
        let most = up_to(rng, left);
        left -= most;
        // With three lanes or more, `upTo` must be given.
        if lanes.len() > 2 || chance(rng, 40) {
            json!({"lane": lane, "percent": up_to(rng, most), "upTo": most})
        } else {
            json!({"lane": lane, "percent": most})
        }
    };
    lanes.iter().map(share).collect()
}
