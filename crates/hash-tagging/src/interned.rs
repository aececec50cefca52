//! What rules share, so that it is done once for all of them.

use std::collections::BTreeMap;

/// A list in which equal entries have one index.
#[derive(Debug)]
pub(crate) struct Interned<T> {
    entries: Vec<T>,
    /// Empty once nothing is looked up any more.
    indices: BTreeMap<T, usize>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), indices: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> Interned<T> {
    /// The index of the entry, which is added unless an equal one is there.
    pub(crate) fn intern(&mut self, entry: T) -> usize {
        if let Some(index) = self.indices.get(&entry) {
            return *index;
        }
        let index = self.entries.len();
        self.entries.push(entry.clone());
        self.indices.insert(entry, index);
        index
    }
}

impl Interned<Vec<u8>> {
    /// The index of an entry, if there is one.
    pub(crate) fn position(&self, entry: &[u8]) -> Option<usize> {
        self.indices.get(entry).copied()
    }
}

impl<T> Interned<T> {
    /// Frees what only a look-up needs.
    pub(crate) fn complete(&mut self) {
        self.indices = BTreeMap::new();
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.entries.get(index)
    }

    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }
}
