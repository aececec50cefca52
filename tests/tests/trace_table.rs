//! The table of trace propagation against a map without bounds: it may forget, but never mistake.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use header_edit::{Directed, Direction, HeaderList};
use proptest::prelude::*;
use trace_propagation::{Counter, MemoryStore, Propagator, Store, WAYS};

const TTL: u64 = 100;

/// What happens to a pod.
#[derive(Clone, Debug)]
enum Event {
    Inbound { id: u16, tag: Option<u8> },
    Outbound { id: u16 },
    After { seconds: u64 },
}

/// The pod, and a map that knows everything.
struct Pod {
    propagator: Propagator,
    store: MemoryStore,
    now: u64,
    /// By id, the tag that came in last, and when.
    known: BTreeMap<u16, (u8, u64)>,
}

impl Pod {
    fn new(slots: usize) -> Self {
        let store = MemoryStore::default();
        store.set_time(Duration::from_secs(1));
        Self { propagator: propagator(slots), store, now: 1, known: BTreeMap::new() }
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Inbound { id, tag } => {
                let tag_text = tag.map(|tag| format!("s{tag}"));
                send(&self.propagator, &self.store, Direction::Inbound, &id.to_string(), tag_text.as_deref());
                match tag {
                    Some(tag) => self.known.insert(id, (tag, self.now)),
                    None => self.known.remove(&id),
                };
            }
            Event::Outbound { id } => {
                let (tag, _) = self.restored(id);
                if let Some(tag) = tag {
                    // The map holds every id that came in with a tag.
                    let (last, since) = self.known.get(&id).unwrap();
                    assert_eq!(tag, format!("s{last}"), "id {id} has the tag of another request");
                    assert!(self.now < since + TTL, "id {id} has expired");
                }
            }
            Event::After { seconds } => {
                self.now += seconds;
                self.store.set_time(Duration::from_secs(self.now));
            }
        }
    }

    fn restored(&self, id: u16) -> (Option<String>, Vec<Counter>) {
        send(&self.propagator, &self.store, Direction::Outbound, &id.to_string(), None)
    }
}

fn propagator(slots: usize) -> Propagator {
    let config = format!(r#"{{"traceHeader": "id", "routeHeaders": ["lane"], "ttlSeconds": {TTL}, "slots": {slots}}}"#);
    Propagator::parse(config.as_bytes(), |_| None).unwrap()
}

/// The tag that the request has behind the filter, and what was counted.
fn send(
    propagator: &Propagator,
    store: &MemoryStore,
    direction: Direction,
    id: &str,
    tag: Option<&str>,
) -> (Option<String>, Vec<Counter>) {
    let mut headers: HeaderList = [("id", id)].into_iter().collect();
    tag.into_iter().for_each(|tag| headers.push("lane", tag));
    let mut request = Directed { headers, direction: Some(direction) };
    let verdict = propagator.on_request(&request, store);
    request.headers.apply(verdict.edits);
    let tag = request.headers.all("lane").next().map(|tag| String::from_utf8(tag.to_vec()).unwrap());
    (tag, verdict.counters)
}

fn events(ids: u16, pause: u64) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..ids, 0..4_u8).prop_map(|(id, tag)| Event::Inbound { id, tag: Some(tag) }),
        1 => (0..ids).prop_map(|id| Event::Inbound { id, tag: None }),
        4 => (0..ids).prop_map(|id| Event::Outbound { id }),
        1 => (1..=pause).prop_map(|seconds| Event::After { seconds }),
    ];
    prop::collection::vec(event, 1..200)
}

/// 256 bytes of id, 256 of tags, and what stands between them.
const LARGEST_ENTRY: usize = 256 + 256 + 14;

/// The key that says where ids go, and its value.
const SEED: usize = 1;
const SEED_BYTES: usize = 16;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn never_a_tag_of_another_id_nor_an_old_one_and_never_more_keys_than_sets(
        slots in prop::sample::select(vec![4, 8, 64]),
        events in events(40, 60),
    ) {
        let mut pod = Pod::new(slots);
        for event in &events {
            pod.happen(event);
        }
        prop_assert!(pod.store.keys().len() <= slots / WAYS + SEED);
        prop_assert!(pod.store.bytes() <= slots * LARGEST_ENTRY + pod.store.keys().len() * 32);
    }

    /// A set is never too small for as many ids as it has ways.
    #[test]
    fn what_fits_is_remembered_for_half_of_its_life_at_least(events in events(4, 60)) {
        let mut pod = Pod::new(4);
        for event in &events {
            pod.happen(event);
            for (id, (tag, since)) in &pod.known {
                if pod.now - since < TTL / 2 {
                    prop_assert_eq!(pod.restored(*id).0, Some(format!("s{}", tag)), "id {}", id);
                }
            }
        }
    }

    /// Whatever somebody else wrote under the table's keys, nothing comes of it but a miss.
    #[test]
    fn foreign_values_are_no_tags(value in prop::collection::vec(any::<u8>(), 0..600)) {
        let pod = Pod::new(4);
        send(&pod.propagator, &pod.store, Direction::Inbound, "1", Some("s1"));
        let keys = pod.store.keys();
        prop_assert!(pod.store.set(&keys[0], &value, 0));
        prop_assert_eq!(pod.restored(1), (None, vec![Counter::LookupMiss]));
        prop_assert!(send(&pod.propagator, &pod.store, Direction::Inbound, "1", Some("s2")).0.is_some());
        prop_assert_eq!(pod.restored(1).0, Some("s2".to_owned()));
    }
}

/// As many threads as the set has ways write it at the same time, again and again from an empty store. Nothing that was
/// written may be lost: neither to a write of an older set, nor to one that saw no set at all.
#[test]
fn workers_do_not_overwrite_each_other() {
    for round in 0..500 {
        let (propagator, store) = (propagator(4), MemoryStore::default());
        let written: Vec<(String, Vec<Counter>)> = thread::scope(|scope| {
            let write = |worker: usize| {
                let (propagator, store) = (&propagator, &store);
                scope.spawn(move || {
                    let id = format!("{round}-{worker}");
                    let (_, counted) = send(propagator, store, Direction::Inbound, &id, Some(&id));
                    (id, counted)
                })
            };
            let workers: Vec<_> = (0..WAYS).map(write).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        for (id, counted) in written {
            let given_up = counted.contains(&Counter::InsertGivenUp);
            let (tag, _) = send(&propagator, &store, Direction::Outbound, &id, None);
            assert_eq!(tag.is_none(), given_up, "{id}: {counted:?}");
        }
    }
}

#[test]
fn a_hundred_thousand_ids_need_no_more_keys_than_there_are_sets() {
    let (propagator, store) = (propagator(1024), MemoryStore::default());
    let mut counted = BTreeSet::new();
    for number in 0..100_000 {
        counted.extend(send(&propagator, &store, Direction::Inbound, &format!("id-{number:08}"), Some("s2")).1);
        if number == 20_000 {
            assert_eq!(store.keys().len(), 1024 / WAYS + SEED);
        }
    }
    assert_eq!(store.keys().len(), 1024 / WAYS + SEED);
    let entry = "id-00000000".len() + "s2".len() + 14;
    let keys: usize = store.keys().iter().map(String::len).sum();
    assert_eq!(store.bytes(), keys + SEED_BYTES + 1024 * entry, "every way is taken");
    assert_eq!(counted, [Counter::InsertNew, Counter::InsertEvictedAlive].into());
}
