//! The secret that says which set an id belongs to.

use std::{hash::Hasher, sync::OnceLock};

use siphasher::sip::SipHasher13;

use crate::{Store, store::ABSENT};

/// Beside the tables, whose keys have more parts.
const KEY: &str = "tl/trace/1/seed";

/// How often it is asked for when other workers keep writing it.
const MAX_TRIES: u32 = 4;

/// Hashes ids so that nobody outside of the process can say which of them share a set.
///
/// Ids are chosen by clients: with a hash that is known, four requests would push anybody's id out of the table. That takes
/// a hash made to be keyed. murmur3 with a seed is not: it has inputs that collide under every seed.
#[derive(Debug, Default)]
pub(crate) struct Seed(OnceLock<[u8; 16]>);

impl Seed {
    /// The same for all workers and configurations of a process. `None` if the store keeps no seed.
    pub(crate) fn hash(&self, store: &dyn Store, id: &[u8]) -> Option<u64> {
        let seed = match self.0.get() {
            Some(seed) => seed,
            None => {
                let agreed = agree(store)?;
                self.0.get_or_init(|| agreed)
            }
        };
        let mut hasher = SipHasher13::new_with_key(seed);
        hasher.write(id);
        Some(hasher.finish())
    }
}

/// The seed in the store. The first worker draws it; of several that see none, the one whose write succeeds.
fn agree(store: &dyn Store) -> Option<[u8; 16]> {
    for _ in 0..MAX_TRIES {
        let stored = store.get(KEY);
        if let Some(Ok(seed)) = stored.as_ref().map(|stored| stored.value.as_slice().try_into()) {
            return Some(seed);
        }
        let drawn = (u128::from(store.random()) << 64 | u128::from(store.random())).to_le_bytes();
        if store.set(KEY, &drawn, stored.map_or(ABSENT, |stored| stored.version)) {
            return Some(drawn);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::{MemoryStore, memory::Contested};

    fn hashes(store: &dyn Store) -> Vec<u64> {
        let seed = Seed::default();
        (0..100_u8).map(|id| seed.hash(store, &[id]).unwrap()).collect()
    }

    #[test]
    fn all_of_a_process_hash_alike_and_no_two_processes_do() {
        let (store, other) = (MemoryStore::default(), MemoryStore::default());
        other.set_random(1000);
        assert_eq!(hashes(&store), hashes(&store));
        assert!(hashes(&store).iter().zip(hashes(&other)).all(|(hash, other)| *hash != other));
        assert_eq!(store.keys(), [KEY]);
    }

    #[test]
    fn what_is_no_seed_is_replaced() {
        let store = MemoryStore::default();
        store.set(KEY, b"something else", 0);
        let before = hashes(&store);
        assert_eq!(store.get(KEY).unwrap().value.len(), 16);
        assert_eq!(hashes(&store), before);
    }

    #[test]
    fn who_loses_the_race_takes_the_winners_seed() {
        let is_over = Cell::new(false);
        let raced = Contested(MemoryStore::default(), |store: &MemoryStore, _: &str| {
            if !is_over.replace(true) {
                hashes(store);
            }
        });
        assert_eq!(hashes(&raced), hashes(&raced.0));
    }

    /// Whatever this worker writes, others have written before.
    #[test]
    fn without_a_store_there_is_no_hash() {
        let overtaken = Contested(MemoryStore::default(), |store: &MemoryStore, key: &str| {
            store.set(key, b"no seed", 0);
        });
        assert_eq!(Seed::default().hash(&overtaken, b"jessie"), None);
    }
}
