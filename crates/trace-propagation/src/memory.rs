//! A store without a proxy.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Store, Stored};

/// Shared data in memory, a clock that stands still until it is moved, and randomness that counts up: what tools and tests
/// use.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    values: BTreeMap<String, Stored>,
    versions: u32,
    now: Duration,
    random: u64,
}

impl MemoryStore {
    /// Sets the time since the Unix epoch, where the clock starts.
    pub fn set_time(&self, time: Duration) {
        self.lock().now = time;
    }

    /// Sets what was drawn last.
    pub fn set_random(&self, random: u64) {
        self.lock().random = random;
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<String> {
        self.lock().values.keys().cloned().collect()
    }

    /// The size of all keys and values, in bytes.
    pub fn bytes(&self) -> usize {
        self.lock().values.iter().map(|(key, stored)| key.len() + stored.value.len()).sum()
    }

    /// A test that failed while it held the lock must not hide its own message behind a poisoned mutex.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &str) -> Option<Stored> {
        self.lock().values.get(key).cloned()
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> bool {
        let memory = &mut *self.lock();
        if version != 0 && memory.values.get(key).is_some_and(|stored| stored.version != version) {
            return false;
        }
        memory.versions = memory.versions.checked_add(1).unwrap_or(1);
        let stored = Stored { value: value.to_vec(), version: memory.versions };
        memory.values.insert(key.to_owned(), stored);
        true
    }

    fn now(&self) -> u64 {
        u64::try_from(self.lock().now.as_nanos()).unwrap_or(u64::MAX)
    }

    fn random(&self) -> u64 {
        let memory = &mut *self.lock();
        memory.random = memory.random.wrapping_add(1);
        memory.random
    }
}

/// A store in which something happens before every write: what another worker does, say.
#[cfg(test)]
pub(crate) struct Contested<F>(pub(crate) MemoryStore, pub(crate) F);

#[cfg(test)]
impl<F: Fn(&MemoryStore, &str)> Store for Contested<F> {
    fn get(&self, key: &str) -> Option<Stored> {
        self.0.get(key)
    }

    fn set(&self, key: &str, value: &[u8], version: u32) -> bool {
        (self.1)(&self.0, key);
        self.0.set(key, value, version)
    }

    fn now(&self) -> u64 {
        self.0.now()
    }

    fn random(&self) -> u64 {
        self.0.random()
    }
}
