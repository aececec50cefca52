//! Each filter by itself, and all in one proxy.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    rules::{asm, explained, numbered, trace_id, user},
    variants::{FLOOR, NONE, NOTHING, bare, shows, subject},
};
use crate::{
    bench::{Bench, Filter},
    load::{Header, Request, header},
    proxy::{Behind, Listener, TAG, Way, filter},
    subject::{Proof, Subject},
};

pub(crate) const HASH_TAGGING: &str = "hash tagging, one rule";
pub(crate) const BAGGAGE: &str = "baggage, three members read";
pub(crate) const TRACE_INBOUND: &str = "trace propagation, inbound";
pub(crate) const TRACE_OUTBOUND: &str = "trace propagation, outbound";
pub(crate) const ALL: &str = "all three";
/// As [`NONE`], for requests that come with a tag.
pub(crate) const NONE_TAGGED: &str = "no filter, tagged requests";

/// The header that baggage is made into: not the tag, so that no filter spares another its work.
const FROM_BAGGAGE: &str = "x-lane-region";
const SHOWS_BAGGAGE: &str = "%REQ(x-lane-region)%";
const SHOWS_BOTH: &str = "%REQ(x-asm-prefer-tag)% %REQ(x-lane-region)%";

/// Every filter, with the floor and the baselines. All requests have all headers, so that they cost the same without a filter;
/// only inbound ones have a tag, which makes a baseline of its own.
pub(crate) fn filters(bench: &Bench) -> Result<Vec<Subject>> {
    let hash = module(bench, Filter::HashTagging, &asm());
    let baggage = baggage(bench);
    let floor = filter::wasm("floor", &bench.modules.floor(), &json!({}));
    let tags = || Ok::<_, anyhow::Error>(shows(explained(&asm())?));
    let outbound = |name: &str, filters, proof| Subject { request: request(), ..subject(name, filters, proof) };

    let mut reads_baggage = outbound(BAGGAGE, vec![baggage.clone()], Proof::Shows(vec![shown(request(), "eu")]));
    show(&mut reads_baggage, SHOWS_BAGGAGE);
    let trace_filter = trace(bench, Way::Inbound);
    let all = Proof::Shows(vec![shown(jessie(), "s2 eu"), shown(bob(), "s1 eu")]);
    let mut all = outbound(ALL, vec![hash.clone(), baggage, trace_filter], all);
    show(&mut all, SHOWS_BOTH);

    let [none, none_tagged] = bare_both_ways();
    Ok(vec![
        none,
        none_tagged,
        outbound(FLOOR, vec![floor], tags()?),
        outbound(HASH_TAGGING, vec![hash], tags()?),
        reads_baggage,
        traced(bench, TRACE_INBOUND, Way::Inbound, tagged()),
        traced(bench, TRACE_OUTBOUND, Way::Outbound, request()),
        all,
    ])
}

/// The baselines of what goes out and of what comes in.
pub(crate) fn bare_both_ways() -> [Subject; 2] {
    [bare(NONE, request(), NOTHING), bare(NONE_TAGGED, tagged(), "s2")]
}

/// One filter, or none, for requests that give any of them something to do.
pub(crate) fn for_memory(bench: &Bench, filter: Option<Filter>) -> Result<Subject> {
    let name = match filter {
        None => NONE,
        Some(Filter::HashTagging) => HASH_TAGGING,
        Some(Filter::BaggagePropagation) => BAGGAGE,
        Some(Filter::TracePropagation) => TRACE_INBOUND,
    };
    find(bench, name)
}

/// All three, for requests of which hardly two have a user or an id in common.
pub(crate) fn all_ids(bench: &Bench) -> Result<Subject> {
    let all = find(bench, ALL)?;
    Ok(Subject { request: Request { numbers: 1_000_000, ..all.request.clone() }, ..all })
}

fn find(bench: &Bench, name: &str) -> Result<Subject> {
    filters(bench)?.into_iter().find(|subject| subject.name == name).with_context(|| format!("no subject {name}"))
}

/// A sidecar that propagates by trace ids, asked on one of its two ways with `request`.
pub(super) fn traced(bench: &Bench, name: &str, way: Way, request: Request) -> Subject {
    let listener = |way: Way| Listener {
        way,
        filters: vec![module(bench, Filter::TracePropagation, &trace_config("auto"))],
        behind: Behind::Nobody,
        shows: "%REQ(x-asm-prefer-tag)%",
    };
    let id = |id: &str| header("x-request-id", id);
    let proof = vec![
        (Way::Inbound, vec![id("proof"), header(TAG, "s2")], "s2".to_owned()),
        (Way::Outbound, vec![id("proof")], "s2".to_owned()),
        (Way::Outbound, vec![id("unknown")], NOTHING.to_owned()),
    ];
    let mut subject = subject(name, vec![], Proof::Shows(proof));
    subject.proxy.listeners = vec![listener(Way::Inbound), listener(Way::Outbound)];
    // What goes out has come in before.
    let remembered = u64::from(request.numbers.min(SLOTS));
    let before = Request { numbers: request.numbers, ..tagged() };
    subject.before = (way == Way::Outbound).then_some((Way::Inbound, before, remembered));
    Subject { way, request, ..subject }
}

/// How many ids the filter remembers.
const SLOTS: u32 = 16384;

fn trace_config(direction: &str) -> Value {
    // Longer than any run.
    json!({"traceHeader": "x-request-id", "routeHeaders": [TAG], "slots": SLOTS, "ttlSeconds": 86400, "direction": direction})
}

fn trace(bench: &Bench, way: Way) -> Value {
    module(bench, Filter::TracePropagation, &trace_config(way.name()))
}

/// Reads a member into a header.
pub(super) fn baggage(bench: &Bench) -> Value {
    let config = json!({"members": [{"key": "region", "header": FROM_BAGGAGE}], "direction": "outbound"});
    module(bench, Filter::BaggagePropagation, &config)
}

/// Baggage of so many members, the last of which is carried.
pub(super) fn members(number: usize) -> Header {
    let others = (1..number).map(|member| format!("member-{member}=value-{member},"));
    header("baggage", others.chain(["region=eu".to_owned()]).collect::<String>())
}

/// Shows what baggage was made into.
pub(super) fn show_baggage(subject: &mut Subject) {
    show(subject, SHOWS_BAGGAGE);
}

/// What a request must show.
pub(super) fn shown(request: Request, expected: &str) -> (Way, Vec<Header>, String) {
    (Way::Outbound, request.headers, expected.to_owned())
}

fn show(subject: &mut Subject, what: &'static str) {
    subject.proxy.listeners.iter_mut().for_each(|listener| listener.shows = what);
}

fn module(bench: &Bench, filter: Filter, config: &Value) -> Value {
    filter::wasm(filter.name(), &bench.modules.release(filter), config)
}

/// As it goes out.
pub(super) fn request() -> Request {
    numbered(vec![user(), trace_id(), members(3)])
}

/// As it comes in.
pub(super) fn tagged() -> Request {
    numbered(vec![user(), trace_id(), members(3), header(TAG, "s2")])
}

fn jessie() -> Request {
    numbered(vec![header("x-user-id", "jessie"), header("x-request-id", "proof"), members(3)])
}

fn bob() -> Request {
    numbered(vec![header("x-user-id", "bob"), header("x-request-id", "proof"), members(3)])
}
