//! What is drawn from: places, users, tags and headers that configurations and requests have in common, so that they meet.

use fastrand::Rng;
use serde_json::{Value, json};

/// Where a configuration looks for an identity, and a request may have one.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Header(&'static str),
    Cookie(&'static str),
    Query(&'static str),
}

pub(crate) const PLACES: [Place; 6] = [
    Place::Header("x-user-id"),
    Place::Header("X-Device-Id"),
    Place::Cookie("uid"),
    Place::Cookie("Uid"),
    Place::Query("uid"),
    Place::Query("käyttäjä id"),
];
/// Users that configurations name.
pub(crate) const USERS: [&str; 8] = ["jason", "Jason", "7", "jürgen müller", "a=b;c", "\"quoted\"", "花子", "50%+1"];
pub(crate) const TAGS: [&str; 4] = ["s1", "s2", "s3", "s4"];
pub(crate) const TAG_HEADERS: [&str; 3] = ["x-asm-prefer-tag", "X-Lane", "version"];
pub(crate) const HOSTS: [&str; 3] = ["shop.example.com", "a.b.example.com", "other.example"];
pub(crate) const METHODS: [&str; 3] = ["GET", "DELETE", "OPTIONS"];
pub(crate) const HASHES: [&str; 2] = ["fnv1a32", "murmur3"];
pub(crate) const SALTS: [&str; 4] =
    ["", "2026-11", "kassa-€", "a long salt that fills more than one block of the hash"];

/// One of a pool.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, pool: &[T]) -> T {
    pool[rng.usize(..pool.len())]
}

/// So many of a pool, each once, in any order.
pub(crate) fn several<T: Copy>(rng: &mut Rng, pool: &[T], number: usize) -> Vec<T> {
    let mut several = pool.to_vec();
    rng.shuffle(&mut several);
    several.truncate(number);
    several
}

pub(crate) fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

/// Where a configuration looks for the identity.
pub(crate) fn identity(rng: &mut Rng) -> Value {
    let number = rng.usize(1..=3);
    let source = |place| match place {
        Place::Header(name) => json!({"header": name}),
        Place::Cookie(name) => json!({"cookie": name}),
        Place::Query(name) => json!({"query": name}),
    };
    several(rng, &PLACES, number).into_iter().map(source).collect()
}
