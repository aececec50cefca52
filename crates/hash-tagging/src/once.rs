//! Work that is shared between rules and done at most once.

use std::cell::OnceCell;

/// A list in which equal entries have one index.
#[derive(Debug)]
pub(crate) struct Interned<T>(Vec<T>);

/// For each entry of an [`Interned`] list, a value that is computed when it is first asked for.
pub(crate) struct Memo<V>(Vec<OnceCell<V>>);

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Interned<T> {
    /// The index of the entry, which is added unless an equal one is there.
    pub(crate) fn intern(&mut self, entry: T) -> usize {
        self.0.iter().position(|known| *known == entry).unwrap_or_else(|| {
            self.0.push(entry);
            self.0.len() - 1
        })
    }
}

impl<T> Interned<T> {
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index)
    }

    pub(crate) fn entries(&self) -> &[T] {
        &self.0
    }

    /// A memo with a place for every entry.
    pub(crate) fn memo<V>(&self) -> Memo<V> {
        Memo(self.0.iter().map(|_| OnceCell::new()).collect())
    }
}

impl<V> Memo<V> {
    /// The value for the index; `compute` runs the first time only. `None` for an index out of bounds.
    pub(crate) fn get(&self, index: usize, compute: impl FnOnce() -> V) -> Option<&V> {
        Some(self.0.get(index)?.get_or_init(compute))
    }
}
