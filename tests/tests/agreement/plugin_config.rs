//! Configurations of the hash-tagging filter that no lane group gives.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::draw::{HASHES, HOSTS, METHODS, SALTS, TAG_HEADERS, TAGS, USERS, chance, identity, pick};

pub(crate) fn draw(rng: &mut Rng) -> Value {
    let number = rng.usize(1..=4);
    let may_choose = chance(rng, 70);
    let incoming: &[&str] = if may_choose { &["replace", "keep", "strip"] } else { &["replace", "strip"] };
    json!({
        "clients": if may_choose { "mayChoose" } else { "mayNot" },
        "rules": (0..number).map(|_| rule(rng, incoming)).collect::<Vec<_>>(),
    })
}

fn rule(rng: &mut Rng, incoming: &[&str]) -> Value {
    let hash = pick(rng, &HASHES);
    let modulo = (rng.u32(..) >> rng.u32(..32)).max(1);
    let mut rule = json!({
        "identity": identity(rng),
        "hash": hash,
        "modulo": modulo,
        "tagHeader": pick(rng, &TAG_HEADERS),
        "decisionHeader": "x-lane-decision",
        "policies": (0..rng.usize(1..=4)).map(|_| policy(rng, modulo)).collect::<Vec<_>>(),
        "incoming": pick(rng, incoming),
        "shadow": chance(rng, 10),
    });
    let fields = rule.as_object_mut().unwrap();
    if hash == "murmur3" {
        fields.insert("salt".to_owned(), pick(rng, &SALTS).into());
    }
    if chance(rng, 40) {
        fields.insert("missing".to_owned(), json!({"tagValue": pick(rng, &TAGS)}));
    }
    if chance(rng, 50) {
        let half = rng.usize(1..USERS.len());
        let group = |users: &[&str], tag| json!({"values": users, "tagValue": tag});
        let groups = [group(&USERS[..half], pick(rng, &TAGS)), group(&USERS[half..], pick(rng, &TAGS))];
        fields.insert("users".to_owned(), groups.into());
    }
    if chance(rng, 50) {
        fields.insert("match".to_owned(), condition(rng));
    }
    rule
}

fn policy(rng: &mut Rng, modulo: u32) -> Value {
    let range = rng.u32(..=modulo);
    let from = if range > 0 && chance(rng, 60) { rng.u32(..range) } else { 0 };
    json!({"from": from, "range": range, "tagValue": pick(rng, &TAGS)})
}

fn condition(rng: &mut Rng) -> Value {
    match rng.u32(..4) {
        0 => json!({"hosts": [pick(rng, &HOSTS), "*.b.example.com"]}),
        1 => json!({"methods": [pick(rng, &METHODS)]}),
        2 => json!({"path": {"prefix": "/api"}}),
        _ => json!({"headers": [{"name": "X-Env", "exact": "prod"}]}),
    }
}
