//! A table of fixed size in shared data: sets of [`WAYS`] entries, a set to a key.
//!
//! The number of keys is that of the sets, whatever the ids. Two ids of one set share it; full ids are compared, so the
//! worst that an id can do to another is to take its place.

use header_edit::HeaderName;

use crate::{
    Store,
    seed::Seed,
    set::{Entries, Entry, WAYS, decode, encode},
    store::ABSENT,
};

/// How often a set is read again when other workers keep writing it.
const MAX_TRIES: u32 = 4;

const NANOSECONDS: u64 = 1_000_000_000;

/// How old an entry must be to be written again because it is the next to go. Ids that share a full set, each with many
/// requests, would otherwise be written with every one of them.
const RECENT: u64 = NANOSECONDS;

/// The size of a table, in entries and in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    /// At least 1.
    pub(crate) sets: u32,
    /// How long an entry lives after it was written.
    pub(crate) ttl_seconds: u32,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// What the keys of all sets start with.
    prefix: String,
    seed: Seed,
    sets: u32,
    ttl: u64,
}

/// What the table knows about an id.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Found<T> {
    Alive(T),
    Expired,
    Nothing,
}

/// What a write came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Written {
    New,
    EvictedAlive,
    Changed,
    Refreshed,
    Unchanged,
    Forgotten,
    Nothing,
    GivenUp,
}

impl Table {
    /// All plug-ins of a proxy share one key space. What the bytes of an entry mean depends on the headers, so they are
    /// part of the key: plug-ins of other headers have other tables. The geometry is not: a table that was resized
    /// writes over the old one instead of leaving it behind for good.
    pub(crate) fn new(trace_header: &HeaderName, route_headers: &[HeaderName], geometry: Geometry) -> Self {
        const FORMAT: &str = "tl/trace/1";
        let names: Vec<&str> = route_headers.iter().map(HeaderName::as_str).collect();
        Self {
            prefix: format!("{FORMAT}/{}/{}/", trace_header.as_str(), names.join(",")),
            seed: Seed::default(),
            sets: geometry.sets,
            ttl: u64::from(geometry.ttl_seconds) * NANOSECONDS,
        }
    }

    /// What `read` makes of the tags that were last written for the id.
    pub(crate) fn look_up<T>(&self, store: &dyn Store, id: &[u8], read: impl FnOnce(&[u8]) -> T) -> Found<T> {
        let stored = self.key(store, id).and_then(|key| store.get(&key)).unwrap_or_default();
        match decode(&stored.value).iter().find(|entry| entry.id == id) {
            Some(entry) if self.is_alive(entry, store.now()) => Found::Alive(read(entry.tags)),
            Some(_) => Found::Expired,
            None => Found::Nothing,
        }
    }

    /// Remembers the tags for the id, or without any forgets it. The number is that of the conflicts on the way.
    pub(crate) fn write(&self, store: &dyn Store, id: &[u8], tags: Option<&[u8]>) -> (Written, u32) {
        let Some(key) = self.key(store, id) else { return (Written::GivenUp, 0) };
        let now = store.now();
        for conflicts in 0..MAX_TRIES {
            let stored = store.get(&key);
            let version = stored.as_ref().map_or(ABSENT, |stored| stored.version);
            let value = stored.unwrap_or_default().value;
            let mut entries = decode(&value);
            entries.retain(|entry| self.is_alive(entry, now));
            let written = match tags {
                Some(tags) => self.remember(&mut entries, Entry { expires: now.saturating_add(self.ttl), id, tags }),
                None => forget(&mut entries, id),
            };
            let is_written = !matches!(written, Written::Unchanged | Written::Nothing);
            if !is_written || store.set(&key, &encode(&entries), version) {
                return (written, conflicts);
            }
        }
        (Written::GivenUp, MAX_TRIES)
    }

    fn remember<'e>(&self, entries: &mut Entries<'e>, new: Entry<'e>) -> Written {
        let next_to_go = if entries.len() >= WAYS { entries.iter().map(|entry| entry.expires).min() } else { None };
        if let Some(known) = entries.iter_mut().find(|entry| entry.id == new.id) {
            let age = new.expires.saturating_sub(known.expires);
            // Another id may come while this request is with the application: what it needs must not be what goes then.
            let is_safe = next_to_go != Some(known.expires) || age < RECENT;
            let is_young = age < self.ttl / 2 && is_safe;
            let written = match known.tags == new.tags {
                true if is_young => return Written::Unchanged,
                true => Written::Refreshed,
                false => Written::Changed,
            };
            *known = new;
            return written;
        }
        if entries.len() < WAYS {
            entries.push(new);
            return Written::New;
        }
        if let Some(oldest) = entries.iter_mut().min_by_key(|entry| entry.expires) {
            *oldest = new;
        }
        Written::EvictedAlive
    }

    /// Until the time that was written with it. An entry from further ahead than its life is long was written before the
    /// clock was set back, and could stay for years; twice that leaves room for the clock's small corrections.
    fn is_alive(&self, entry: &Entry<'_>, now: u64) -> bool {
        entry.expires > now && entry.expires - now <= self.ttl.saturating_mul(2)
    }

    /// The key of the id's set, if there is a seed.
    fn key(&self, store: &dyn Store, id: &[u8]) -> Option<String> {
        let set = self.seed.hash(store, id)?.checked_rem(u64::from(self.sets)).unwrap_or_default();
        Some(format!("{}{set}", self.prefix))
    }
}

fn forget(entries: &mut Entries<'_>, id: &[u8]) -> Written {
    let before = entries.len();
    entries.retain(|entry| entry.id != id);
    if entries.len() < before { Written::Forgotten } else { Written::Nothing }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{MemoryStore, memory::Contested};

    fn table(sets: u32) -> Table {
        let name = |name| HeaderName::parse(name).unwrap();
        Table::new(&name("X-User-Id"), &[name("lane"), name("env")], Geometry { sets, ttl_seconds: 100 })
    }

    fn look_up(table: &Table, store: &dyn Store, id: &[u8]) -> Found<Vec<u8>> {
        table.look_up(store, id, <[u8]>::to_vec)
    }

    fn at(seconds: u64) -> MemoryStore {
        let store = MemoryStore::default();
        store.set_time(Duration::from_secs(seconds));
        store
    }

    #[test]
    fn the_key_names_what_the_bytes_depend_on() {
        let store = at(0);
        table(1).write(&store, b"jessie", Some(b"s2"));
        assert_eq!(store.keys(), ["tl/trace/1/seed", "tl/trace/1/x-user-id/lane,env/0"]);
    }

    #[test]
    fn an_entry_lives_until_its_time_and_is_refreshed_in_the_second_half_of_its_life() {
        let (table, store) = (table(1), at(1000));
        assert_eq!(table.write(&store, b"jessie", Some(b"s2")), (Written::New, 0));
        store.set_time(Duration::from_secs(1049));
        assert_eq!(table.write(&store, b"jessie", Some(b"s2")), (Written::Unchanged, 0));
        store.set_time(Duration::from_secs(1050));
        assert_eq!(table.write(&store, b"jessie", Some(b"s2")), (Written::Refreshed, 0));
        store.set_time(Duration::from_nanos(1_149_999_999_999));
        assert_eq!(look_up(&table, &store, b"jessie"), Found::Alive(b"s2".to_vec()));
        store.set_time(Duration::from_secs(1150));
        assert_eq!(look_up(&table, &store, b"jessie"), Found::Expired);
        assert_eq!(table.write(&store, b"jessie", None), (Written::Nothing, 0), "there is nothing to forget");
    }

    #[test]
    fn a_full_set_gives_up_the_entry_that_expires_first() {
        let (table, store) = (table(1), at(0));
        for (second, id) in ["a", "b", "c", "d"].iter().enumerate() {
            store.set_time(Duration::from_secs(second as u64));
            assert_eq!(table.write(&store, id.as_bytes(), Some(b"s2")), (Written::New, 0));
        }
        assert_eq!(table.write(&store, b"a", Some(b"s3")), (Written::Changed, 0), "its life starts again");
        assert_eq!(table.write(&store, b"e", Some(b"s2")), (Written::EvictedAlive, 0));
        assert_eq!(look_up(&table, &store, b"b"), Found::Nothing);
        for id in ["a", "c", "d", "e"] {
            assert!(matches!(look_up(&table, &store, id.as_bytes()), Found::Alive(_)), "{id}");
        }
        store.set_time(Duration::from_secs(102));
        assert_eq!(table.write(&store, b"f", Some(b"s2")), (Written::New, 0), "c has expired");
    }

    #[test]
    fn what_a_request_needs_is_not_the_next_to_go() {
        let (table, store) = (table(1), at(0));
        for (second, id) in ["a", "b", "c", "d"].iter().enumerate() {
            store.set_time(Duration::from_secs(second as u64));
            table.write(&store, id.as_bytes(), Some(b"s2"));
        }
        assert_eq!(table.write(&store, b"b", Some(b"s2")), (Written::Unchanged, 0), "a goes before it");
        assert_eq!(table.write(&store, b"a", Some(b"s2")), (Written::Refreshed, 0));
        assert_eq!(table.write(&store, b"e", Some(b"s2")), (Written::EvictedAlive, 0));
        assert!(matches!(look_up(&table, &store, b"a"), Found::Alive(_)), "its request is under way");
        assert_eq!(look_up(&table, &store, b"b"), Found::Nothing);
        for id in ["c", "d", "a", "e"].iter().cycle().take(400) {
            store.set_time(Duration::from_millis(4000));
            table.write(&store, id.as_bytes(), Some(b"s2"));
        }
        assert_eq!(table.write(&store, b"c", Some(b"s2")), (Written::Unchanged, 0), "written a moment ago");
    }

    #[test]
    fn what_another_wrote_is_an_empty_set() {
        let (table, store) = (table(1), at(0));
        store.set("tl/trace/1/x-user-id/lane,env/0", b"something else", 0);
        assert_eq!(look_up(&table, &store, b"jessie"), Found::Nothing);
        assert_eq!(table.write(&store, b"jessie", Some(b"s2")), (Written::New, 0));
        assert_eq!(look_up(&table, &store, b"jessie"), Found::Alive(b"s2".to_vec()));
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_nothing_behind_for_years() {
        let (table, store) = (table(1), at(1_000_000));
        table.write(&store, b"jessie", Some(b"s2"));
        store.set_time(Duration::from_secs(999_999));
        assert_eq!(look_up(&table, &store, b"jessie"), Found::Alive(b"s2".to_vec()), "a small correction");
        store.set_time(Duration::from_secs(5000));
        assert_eq!(look_up(&table, &store, b"jessie"), Found::Expired);
    }

    /// Before every write another worker writes the same set, as often as it is told to.
    fn contested(rivals: &Cell<u8>) -> Contested<impl Fn(&MemoryStore, &str)> {
        Contested(at(0), |store: &MemoryStore, key: &str| {
            if let Some(left) = rivals.get().checked_sub(1)
                && key.ends_with("/0")
            {
                rivals.set(left);
                table(1).write(store, &[b'r', left], Some(b"s1"));
            }
        })
    }

    #[test]
    fn a_write_that_was_overtaken_is_repeated_and_loses_nothing() {
        for known in [false, true] {
            let rivals = Cell::new(0);
            let contested = contested(&rivals);
            if known {
                table(1).write(&contested, b"known", Some(b"s3"));
            }
            rivals.set(2);
            assert_eq!(table(1).write(&contested, b"jessie", Some(b"s2")), (Written::New, 2));
            for id in [b"jessie".as_slice(), b"r\0", b"r\x01"] {
                assert!(matches!(look_up(&table(1), &contested, id), Found::Alive(_)), "{}", id.escape_ascii());
            }
        }
    }

    #[test]
    fn a_write_that_is_always_overtaken_is_given_up() {
        let rivals = Cell::new(u8::MAX);
        let contested = contested(&rivals);
        assert_eq!(table(1).write(&contested, b"jessie", Some(b"s2")), (Written::GivenUp, MAX_TRIES));
        assert_eq!(rivals.get(), u8::MAX - MAX_TRIES as u8);
    }
}
