//! What rules share, so that it is done once for all of them.

/// A list in which equal entries have one index.
#[derive(Debug)]
pub(crate) struct Interned<T>(Vec<T>);

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
}
