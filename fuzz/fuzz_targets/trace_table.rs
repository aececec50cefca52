//! A table of one set over time, against a list that is searched from its beginning.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use arbitrary::Arbitrary;
use header_edit::{Directed, Direction, HeaderList};
use libfuzzer_sys::fuzz_target;
use trace_propagation::{Counter, MemoryStore, Propagator, WAYS};

const SECOND: u64 = 1_000_000_000;
const TTL: u64 = 100 * SECOND;

static PROPAGATOR: LazyLock<Propagator> = LazyLock::new(|| {
    let json = br#"{"traceHeader": "id", "routeHeaders": ["lane"], "slots": 4, "ttlSeconds": 100}"#;
    Propagator::parse(json, |_| None).unwrap()
});

#[derive(Arbitrary, Debug)]
enum Step {
    /// A request with one of eight ids comes, with one of four lanes or none.
    Comes { id: u8, lane: u8 },
    /// One goes.
    Goes { id: u8 },
    /// Time goes by, in milliseconds.
    Waits(u16),
    /// The clock is set, in seconds.
    Clock(u8),
}

struct Known {
    id: u8,
    lane: u8,
    expires: u64,
}

fuzz_target!(|steps: Vec<Step>| {
    let store = MemoryStore::default();
    let mut known: Vec<Known> = Vec::new();
    let mut now = 1_000 * SECOND;
    for step in steps {
        store.set_time(Duration::from_nanos(now));
        match step {
            Step::Waits(milliseconds) => now += u64::from(milliseconds) * SECOND / 1000,
            Step::Clock(seconds) => now = (900 + u64::from(seconds)) * SECOND,
            Step::Goes { id } => {
                let id = id % 8;
                let (counter, lane) = goes(&store, id);
                let entry = known.iter().find(|entry| entry.id == id);
                let expected = match entry {
                    None => (Counter::LookupMiss, None),
                    Some(entry) if !is_alive(entry, now) => (Counter::LookupExpired, None),
                    Some(entry) => (Counter::LookupHit, Some(entry.lane.to_string())),
                };
                assert_eq!((counter, lane), expected);
            }
            Step::Comes { id, lane } => {
                let (id, lane) = (id % 8, lane % 5);
                let counter = comes(&store, id, lane);
                let was_written = counter != Counter::InsertUnchanged && counter != Counter::InsertNoTag;
                assert_eq!(counter, remember(&mut known, id, lane, now), "at {now}");
                // Dead entries leave the store with the next write.
                if was_written {
                    known.retain(|entry| is_alive(entry, now));
                }
                assert!(known.len() <= 2 * WAYS);
            }
        }
    }
});

fn is_alive(entry: &Known, now: u64) -> bool {
    entry.expires > now && entry.expires <= now + 2 * TTL
}

fn remember(known: &mut Vec<Known>, id: u8, lane: u8, now: u64) -> Counter {
    let alive: Vec<(u8, u64)> =
        known.iter().filter(|entry| is_alive(entry, now)).map(|entry| (entry.id, entry.expires)).collect();
    let is_known = alive.iter().any(|(known, _)| *known == id);
    let position = known.iter().position(|entry| entry.id == id);
    if lane == 0 {
        if !is_known {
            return Counter::InsertNoTag;
        }
        known.remove(position.unwrap());
        return Counter::InsertForgotten;
    }
    let new = Known { id, lane, expires: now + TTL };
    if is_known {
        let entry = &mut known[position.unwrap()];
        let oldest = alive.iter().map(|(_, expires)| *expires).min().unwrap();
        let age = new.expires.saturating_sub(entry.expires);
        let is_next_to_go = alive.len() == WAYS && entry.expires == oldest;
        let is_young = age < TTL / 2 && !(is_next_to_go && age >= SECOND);
        let counter = match entry.lane == lane {
            true if is_young => return Counter::InsertUnchanged,
            true => Counter::InsertRefreshed,
            false => Counter::InsertChanged,
        };
        *entry = new;
        return counter;
    }
    known.retain(|entry| is_alive(entry, now));
    if known.len() < WAYS {
        known.push(new);
        return Counter::InsertNew;
    }
    let oldest = known.iter().map(|entry| entry.expires).min().unwrap();
    let first = known.iter().position(|entry| entry.expires == oldest).unwrap();
    known[first] = new;
    Counter::InsertEvictedAlive
}

fn comes(store: &MemoryStore, id: u8, lane: u8) -> Counter {
    let mut headers: HeaderList = [("id", id.to_string())].into_iter().collect();
    if lane > 0 {
        headers.push("lane", lane.to_string());
    }
    let said = PROPAGATOR.on_request(&Directed { headers, direction: Some(Direction::Inbound) }, store);
    assert_eq!((said.edits.len(), said.counters.len()), (0, 1));
    said.counters[0]
}

fn goes(store: &MemoryStore, id: u8) -> (Counter, Option<String>) {
    let headers: HeaderList = [("id", id.to_string())].into_iter().collect();
    let mut request = Directed { headers, direction: Some(Direction::Outbound) };
    let said = PROPAGATOR.on_request(&request, store);
    request.headers.apply(said.edits);
    let lane = request.headers.all("lane").next().map(|lane| String::from_utf8(lane.to_vec()).unwrap());
    (said.counters[0], lane)
}
