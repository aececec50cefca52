//! One rule, in every way that there is to have it, and a hundred rules.

use anyhow::Result;
use serde_json::{Value, json};

use super::{ADDED, FLOOR, NONE, TO_FLOOR};
use crate::{
    bench::{Bench, Filter},
    goals::{self, Goal},
    load::Headers,
    proxy::{self, Direction, HASHED, OUTBOUND, SENT, TAG},
    report::Section,
    simultaneous,
    statistics::{Estimate, ratio},
    variant::{Requests, Variant},
};

const LUA: &str = "Lua";
/// As cargo leaves it.
const PLAIN: &str = "plain SDK build";
/// As it ships.
const RELEASE: &str = "release module";
const HUNDRED: &str = "release module, 100 rules";
const COPY: &str = "header_to_metadata";
const MATCHER: &str = "consistent_hashing matcher";
const SENT_ON: &str = "no filter, sent on";
const NATIVE: &str = "native tagging, sent on";

const RULES: &str =
    "Of 100 rules, all but the last choose one user in 100000 each, so that hardly any decides before it";
const COPIES: &str =
    "header_to_metadata has no hash: it copies the user into metadata, and is here for what a native filter costs";
const ROUTES: &str = "Native tagging is in the routes, so those two send the request on, to a listener of the same Envoy; the others answer themselves";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let costs = simultaneous::measure(bench, &variants(bench)?)?;
    let quantities = ["CPU, µs per request", ADDED, TO_FLOOR, "× Lua"];
    let mut section =
        Section::new("One rule, 20 % of the users", &quantities, &[simultaneous::METHOD, RULES, COPIES, ROUTES]);
    section.row(NONE, &[Estimate::of(costs.of(NONE)?)]);
    let [floor, lua, release] = [costs.added(FLOOR, NONE)?, costs.added(LUA, NONE)?, costs.added(RELEASE, NONE)?];
    section.row(SENT_ON, &[Estimate::of(costs.of(SENT_ON)?)]);
    for name in [FLOOR, LUA, PLAIN, RELEASE, HUNDRED, COPY, MATCHER, NATIVE] {
        let added = costs.added(name, if name == NATIVE { SENT_ON } else { NONE })?;
        let cost = Estimate::of(costs.of(name)?);
        section.row(name, &[cost, Estimate::of(&added), ratio(&added, &floor), ratio(&added, &lua)]);
    }
    let hundred = ratio(&costs.added(HUNDRED, NONE)?, &release);
    let native = ratio(&costs.added(NATIVE, SENT_ON)?, &floor);
    let goals = [goals::HASH_TAGGING.goal(ratio(&release, &floor)), goals::NATIVE.goal(native)];
    Ok((section, goals.into_iter().chain([goals::HUNDRED_RULES.goal(hundred)]).collect()))
}

fn variants(bench: &Bench) -> Result<Vec<Variant>> {
    const JESSIE: Headers = &[("x-user-id", "jessie")];
    const BOB: Headers = &[("x-user-id", "bob")];
    let release = bench.release(Filter::HashTagging);
    let module = |path, number| proxy::wasm("hash-tagging", path, &rules(number));
    // As published. Envoy's own hash chooses others.
    let tags = [(JESSIE, "s2"), (BOB, "s1")];
    let native_tags: [(Headers, _); 2] = [(&[("x-user-id", "user-00000002")], "s2"), (BOB, "s1")];
    Ok(vec![
        variant(NONE, None, [(JESSIE, ""), (BOB, "")]),
        variant(FLOOR, Some(module(bench.floor.path(), 1)), tags),
        variant(LUA, Some(proxy::lua(bench)), tags),
        variant(PLAIN, Some(module(&bench.programs.plain, 1)), tags),
        variant(RELEASE, Some(module(&release, 1)), tags),
        variant(HUNDRED, Some(module(&release, 100)), tags),
        variant(COPY, Some(proxy::read(&bench.module("header_to_metadata.json"))?), [(JESSIE, "jessie"), (BOB, "bob")]),
        variant(MATCHER, Some(proxy::read(&bench.module("consistent_hashing.json"))?), native_tags),
        routed(SENT_ON, SENT, [(JESSIE, ""), (BOB, "")]),
        routed(NATIVE, HASHED, native_tags),
    ])
}

fn variant<const N: usize>(name: &'static str, filter: Option<Value>, shows: [(Headers, &'static str); N]) -> Variant {
    let requests = Requests { direction: OUTBOUND, headers: &[("x-user-id", "user-{number}")], numbers: 1000 };
    let proof = shows.map(|(headers, shown)| (OUTBOUND, headers, shown)).into();
    Variant { name, config: proxy::FILTERS, filters: filter.into_iter().collect(), requests, before: None, proof }
}

fn routed(name: &'static str, listener: Direction, shows: [(Headers, &'static str); 2]) -> Variant {
    let plain = variant(name, None, []);
    let requests = Requests { direction: listener, ..plain.requests };
    let proof = shows.map(|(headers, shown)| (listener, headers, shown)).into();
    Variant { config: proxy::ROUTES, requests, proof, ..plain }
}

/// So many rules on one identity; the last is the published one, 20 % of the users.
pub(super) fn rules(number: u32) -> Value {
    let rule = |modulo: u32, policies: Value| json!({"header": "x-user-id", "modulo": modulo, "tagHeader": TAG, "policies": policies});
    let narrow = |bucket: u32| rule(100_000, json!([{"from": bucket, "range": bucket + 1, "tagValue": "s3"}]));
    let published = json!([{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]);
    json!({"rules": (1..number).map(narrow).chain([rule(100, published)]).collect::<Vec<_>>()})
}
