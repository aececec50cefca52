//! Baggage and trace propagation, and all filters in one proxy.

use anyhow::Result;
use serde_json::{Value, json};

use super::{ADDED, FLOOR, NONE, TO_FLOOR, hash_tagging};
use crate::{
    bench::{Bench, Filter},
    goals::{self, Goal},
    load::Headers,
    proxy::{self, Direction, INBOUND, OUTBOUND, REGION, TAG},
    report::Section,
    simultaneous,
    statistics::{Estimate, ratio},
    variant::{Requests, Variant},
};

const BAGGAGE: &str = "baggage, three members read";
const TRACE_INBOUND: &str = "trace propagation, inbound";
const TRACE_OUTBOUND: &str = "trace propagation, outbound";
const TRACE_BOTH: &str = "trace propagation, both";
const ALL: &str = "all three";
/// As [`NONE`], for requests that come with a tag.
const NONE_TAGGED: &str = "no filter, tagged requests";

const USER: (&str, &str) = ("x-user-id", "user-{number}");
const TRACE_ID: (&str, &str) = ("x-request-id", "{number}-1ee7-4c0d-a11e-0123456789ab");
const MEMBERS: (&str, &str) = ("baggage", "member-1=value-1,member-2=value-2,region=eu");
const S2: (&str, &str) = (TAG, "s2");
const PROOF: (&str, &str) = ("x-request-id", "proof");

const REQUESTS: &str = "All requests have the same headers: a user, a trace id (one of 1000 each) and baggage of three members; \
     those that come in have a tag, too, and a baseline of their own. All three: hash tagging, one member read, the tag \
     remembered";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let costs = simultaneous::measure(bench, &variants(bench))?;
    let [floor, baggage] = [costs.added(FLOOR, NONE)?, costs.added(BAGGAGE, NONE)?];
    let (inbound, outbound) = (costs.added(TRACE_INBOUND, NONE_TAGGED)?, costs.added(TRACE_OUTBOUND, NONE)?);
    // What a request costs that comes in and causes one that goes out.
    let both: Vec<f64> = inbound.iter().zip(&outbound).map(|(inbound, outbound)| inbound + outbound).collect();
    let rows = [
        (FLOOR, &floor),
        (BAGGAGE, &baggage),
        (TRACE_INBOUND, &inbound),
        (TRACE_OUTBOUND, &outbound),
        (TRACE_BOTH, &both),
        (ALL, &costs.added(ALL, NONE)?),
    ];
    let title = "The other filters, and all in one proxy";
    let mut section = Section::new(title, &[ADDED, TO_FLOOR], &[simultaneous::METHOD, REQUESTS]);
    for (name, added) in rows {
        section.row(name, &[Estimate::of(added), ratio(added, &floor)]);
    }
    Ok((section, vec![goals::BAGGAGE.goal(ratio(&baggage, &floor)), goals::TRACE.goal(ratio(&both, &floor))]))
}

fn variants(bench: &Bench) -> Vec<Variant> {
    let inbound = Requests { direction: INBOUND, headers: &[USER, TRACE_ID, MEMBERS, S2], numbers: 1000 };
    let floor = proxy::wasm("floor", bench.floor.path(), &json!({}));
    let [baggage, trace] =
        [Filter::BaggagePropagation, Filter::TracePropagation].map(|filter| configured(bench, filter));
    let remembers: Vec<(Direction, Headers, &str)> =
        vec![(INBOUND, &[PROOF, S2], "s2"), (OUTBOUND, &[PROOF], "s2"), (OUTBOUND, &[("x-request-id", "unknown")], "")];
    vec![
        outbound(NONE, vec![], ""),
        Variant { requests: inbound, ..outbound(NONE_TAGGED, vec![], "") },
        outbound(FLOOR, vec![floor], "s2"),
        outbound(BAGGAGE, vec![baggage], "eu"),
        Variant { requests: inbound, proof: remembers.clone(), ..outbound(TRACE_INBOUND, vec![trace.clone()], "") },
        // What goes out has come in before.
        Variant { before: Some(inbound), proof: remembers, ..outbound(TRACE_OUTBOUND, vec![trace], "") },
        all(bench),
    ]
}

/// All three in one proxy.
pub(super) fn all(bench: &Bench) -> Variant {
    outbound(ALL, Filter::ALL.map(|filter| configured(bench, filter)).into(), "s2 eu")
}

/// One filter, or none.
pub(super) fn alone(bench: &Bench, filter: Option<Filter>) -> Variant {
    let jessie = match filter {
        Some(Filter::HashTagging) => "s2",
        Some(Filter::BaggagePropagation) => "eu",
        Some(Filter::TracePropagation) | None => "",
    };
    let filters = filter.map(|filter| configured(bench, filter)).into_iter().collect();
    outbound(filter.map_or(NONE, Filter::name), filters, jessie)
}

/// All requests have all headers, so that they cost the same without a filter.
fn outbound(name: &'static str, filters: Vec<Value>, jessie: &'static str) -> Variant {
    let requests = Requests { direction: OUTBOUND, headers: &[USER, TRACE_ID, MEMBERS], numbers: 1000 };
    let proof = (OUTBOUND, &[("x-user-id", "jessie"), PROOF, MEMBERS] as Headers, jessie);
    Variant { name, config: proxy::FILTERS, filters, requests, before: None, proof: vec![proof] }
}

fn configured(bench: &Bench, filter: Filter) -> Value {
    let configuration = match filter {
        Filter::HashTagging => hash_tagging::rules(1),
        Filter::BaggagePropagation => {
            json!({"members": [{"key": "region", "header": REGION}], "direction": "outbound"})
        }
        // Remembers for longer than any run.
        Filter::TracePropagation => json!({"traceHeader": "x-request-id", "routeHeaders": [TAG], "ttlSeconds": 86400}),
    };
    proxy::wasm(filter.name(), &bench.release(filter), &configuration)
}
