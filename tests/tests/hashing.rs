//! Which users land in which lane: the published vectors, and what must hold for all users there are.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use hash_tagging::{Hash, Tagger};
use header_edit::HeaderList;
use proptest::prelude::*;
use serde_json::json;
use traffic_lanes_tests::{testdata, vectors::Vectors};

#[test]
fn every_published_vector_holds() {
    let vectors = Vectors::load(&testdata("hash-vectors.toml")).unwrap();
    assert!(vectors.vector.len() >= 200, "only {} vectors", vectors.vector.len());
    let salted = Hash::Murmur3 { salt: vectors.salt.clone().into() };
    for vector in &vectors.vector {
        let identity = vector.identity().unwrap();
        let expected = [
            (&Hash::Fnv1a32, &vector.fnv1a32),
            (&Hash::Murmur3 { salt: Vec::new() }, &vector.murmur3),
            (&salted, &vector.murmur3_salted),
            (&Hash::Xxh64 { seed: 0 }, &vector.xxh64),
            (&Hash::Xxh64 { seed: vectors.seed }, &vector.xxh64_seeded),
        ];
        for (function, expected) in expected {
            let hash = function.of(&identity);
            assert_eq!(hash, expected.hash, "{function:?} of {}", vector.name());
            let buckets: Vec<u32> = vectors.modulos.iter().map(|modulo| (hash % u64::from(*modulo)) as u32).collect();
            assert_eq!(buckets, expected.buckets, "{function:?} of {}", vector.name());
        }
    }
}

/// Shapes of identities that are met in practice, n of each.
fn populations(n: u32) -> BTreeMap<&'static str, Vec<String>> {
    // A fixed walk through all 128-bit numbers (SplitMix64), so that a failure can be repeated.
    let random = |seed: u64| {
        let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let uuid = |i: u64| {
        let (high, low) = (random(2 * i), random(2 * i + 1));
        let (time_low, time_mid) = (high >> 32, (high >> 16) & 0xffff);
        format!(
            "{time_low:08x}-{time_mid:04x}-4{:03x}-a{:03x}-{:012x}",
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    };
    BTreeMap::from([
        ("random", (0..n).map(|i| format!("{:016x}", random(i.into()))).collect()),
        ("sequential", (0..n).map(|i| (1_000_000 + i).to_string()).collect()),
        ("uuid", (0..n).map(|i| uuid(i.into())).collect()),
    ])
}

fn tagger(rule: serde_json::Value) -> Tagger {
    Tagger::parse(json!({"rules": [rule]}).to_string().as_bytes()).unwrap()
}

/// A canary of so many percent, and the rest stable.
fn ramp(hash: &str, salt: Option<&str>, percent: u32) -> Tagger {
    tagger(json!({
        "header": "id", "hash": hash, "salt": salt, "modulo": 100, "tagHeader": "lane",
        "policies": [{"range": percent, "tagValue": "canary"}, {"range": 100, "tagValue": "stable"}],
    }))
}

fn lane(tagger: &Tagger, identity: &[u8]) -> Option<String> {
    let request: HeaderList = [("id", identity)].into_iter().collect();
    let verdict = tagger.on_request(&request);
    verdict.decisions[0].tag.map(|tag| String::from_utf8(tag.as_bytes().to_vec()).unwrap())
}

fn is_canary(tagger: &Tagger, identity: &str) -> bool {
    lane(tagger, identity.as_bytes()).as_deref() == Some("canary")
}

/// Pearson's chi-square over 100 buckets. With 99 degrees of freedom a fair hash exceeds 161 once in 10 000 times; the
/// populations are fixed, so this is once and for all, and a skewed hash is far above.
#[test]
fn every_bucket_gets_its_share_of_every_population() {
    let salted = Hash::Murmur3 { salt: b"checkout".to_vec() };
    for hash in
        [Hash::Fnv1a32, Hash::Murmur3 { salt: Vec::new() }, salted, Hash::Xxh64 { seed: 0 }, Hash::Xxh64 { seed: 7 }]
    {
        for (shape, identities) in populations(100_000) {
            let mut counts = [0_u32; 100];
            for identity in &identities {
                counts[(hash.of(identity.as_bytes()) % 100) as usize] += 1;
            }
            let expected = identities.len() as f64 / 100.0;
            let chi_square: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
            assert!(chi_square < 161.0, "{hash:?} over {shape} ids: chi-square {chi_square:.0}");
        }
    }
}

/// A lane's share is binomial: within five standard deviations of its range.
#[test]
fn every_lane_gets_the_share_of_its_range() {
    for (hash, salt) in [("fnv1a32", None), ("murmur3", None), ("murmur3", Some("checkout"))] {
        for percent in [1, 5, 20, 50, 99] {
            let tagger = ramp(hash, salt, percent);
            for (shape, identities) in populations(20_000) {
                let (n, p) = (identities.len() as f64, f64::from(percent) / 100.0);
                let canary = identities.iter().filter(|identity| is_canary(&tagger, identity)).count() as f64;
                let deviations = (canary - n * p) / (n * p * (1.0 - p)).sqrt();
                assert!(deviations.abs() < 5.0, "{hash} {salt:?} {percent} % of {shape} ids: {canary} of {n}");
            }
        }
    }
}

#[test]
fn a_ramp_moves_users_into_the_canary_only() {
    for (hash, salt) in [("fnv1a32", None), ("murmur3", Some("checkout"))] {
        let (before, after) = (ramp(hash, salt, 20), ramp(hash, salt, 50));
        for (shape, identities) in populations(20_000) {
            let left = identities.iter().filter(|id| is_canary(&before, id) && !is_canary(&after, id)).count();
            let joined = identities.iter().filter(|id| !is_canary(&before, id) && is_canary(&after, id)).count();
            assert_eq!(left, 0, "{hash} {shape}");
            assert!((5_400..6_600).contains(&joined), "{hash} {shape}: {joined} joined, of 6000 expected");
        }
    }
}

/// Of the users of one rule, the other rule must choose its usual share: 20 % of 20 %, within five standard deviations.
#[test]
fn two_salted_rules_choose_independently() {
    let (one, two) = (ramp("murmur3", Some("checkout"), 20), ramp("murmur3", Some("search"), 20));
    for (shape, identities) in populations(100_000) {
        let chosen: Vec<&String> = identities.iter().filter(|id| is_canary(&one, id)).collect();
        let both = chosen.iter().filter(|id| is_canary(&two, id)).count() as f64;
        let n = chosen.len() as f64;
        let deviations = (both - n * 0.2) / (n * 0.2 * 0.8).sqrt();
        assert!(deviations.abs() < 5.0, "{shape}: {both} of {n} are in both");
    }
}

/// The published caveat: without a salt, two rules choose the same users.
#[test]
fn two_rules_without_salt_choose_the_same_users() {
    let (one, two) = (ramp("fnv1a32", None, 20), ramp("fnv1a32", None, 20));
    for identity in &populations(1_000)["uuid"] {
        assert_eq!(is_canary(&one, identity), is_canary(&two, identity));
    }
}

/// What a table of segments finds must be what reading the policies one by one finds.
fn naive_winner(policies: &[(u32, u32)], bucket: u32) -> Option<usize> {
    policies.iter().position(|&(from, range)| from <= bucket && bucket < range)
}

proptest! {
    #[test]
    fn the_same_identity_has_the_same_lane(identity in proptest::collection::vec(1_u8.., 1..64), percent in 0_u32..=100) {
        for hash in ["fnv1a32", "murmur3"] {
            prop_assert_eq!(lane(&ramp(hash, None, percent), &identity), lane(&ramp(hash, None, percent), &identity));
        }
    }

    #[test]
    fn the_first_policy_that_covers_the_bucket_wins(
        identity in "[a-z0-9]{1,12}",
        modulo in 1_u32..500,
        bounds in proptest::collection::vec((0_u32..500, 1_u32..500), 1..12),
    ) {
        let policies: Vec<(u32, u32)> = bounds
            .into_iter()
            .map(|(from, length)| (from % modulo, (from % modulo).saturating_add(length).min(modulo)))
            .collect();
        let tagger = tagger(json!({
            "header": "id", "modulo": modulo, "tagHeader": "lane",
            "policies": policies.iter().enumerate().map(|(index, (from, range))| {
                json!({"from": from, "range": range, "tagValue": index.to_string()})
            }).collect::<Vec<_>>(),
        }));
        let bucket = hash_tagging::fnv1a32(identity.as_bytes()) % modulo;
        let expected = naive_winner(&policies, bucket).map(|index| index.to_string());
        prop_assert_eq!(lane(&tagger, identity.as_bytes()), expected);
    }

    #[test]
    fn no_text_panics_the_parser(text in ".{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Tagger::parse(text.as_bytes()).is_err());
        prop_assert!(Tagger::parse(&bytes).is_err());
    }

    #[test]
    fn whatever_the_request_other_lines_stay_as_they_are(
        lines in proptest::collection::vec(("id|cookie|lane|:path|:authority|[a-z]{1,3}", proptest::collection::vec(any::<u8>(), 0..64)), 0..8),
    ) {
        let tagger = tagger(json!({
            "match": {"hosts": ["*.a", "a", "*"]},
            "identity": [{"header": "id"}, {"cookie": "a"}, {"query": "a"}],
            "modulo": 3, "tagHeader": "lane", "incoming": "strip", "decisionHeader": "why",
            "policies": [{"range": 1, "tagValue": "x"}],
        }));
        let request: HeaderList = lines.into_iter().collect();
        let mut arrived = request.clone();
        arrived.apply(tagger.on_request(&request).edits);
        let others = |headers: &HeaderList| {
            let lines = headers.lines().filter(|(name, _)| !matches!(*name, "lane" | "why"));
            lines.map(|(name, value)| (name.to_owned(), value.to_vec())).collect::<Vec<_>>()
        };
        prop_assert_eq!(others(&request), others(&arrived));
        prop_assert!(arrived.all("lane").all(|tag| tag == b"x"), "a forged tag was passed on");
    }
}
