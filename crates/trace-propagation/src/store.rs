//! What all workers of a proxy share.

/// Shared data, the clock and the randomness of a proxy, with the rules of Proxy-Wasm (proxy-wasm-cpp-host, `src/shared_data.cc`).
pub trait Store {
    /// The value under a key, if there is one.
    fn get(&self, key: &str) -> Option<Stored>;

    /// Sets a value, unless there is one whose version is not `version`. False if there is: somebody else was faster.
    /// A key that is not there accepts any version. There is no way to remove a key.
    fn set(&self, key: &str, value: &[u8], version: u32) -> bool;

    /// The time since the Unix epoch, in nanoseconds. It may step, back as well as ahead.
    fn now(&self) -> u64;

    /// Bits that nobody can foresee, from the host's randomness.
    fn random(&self) -> u64;
}

/// No value has this version, but where there is no value yet any version is accepted: so of two workers that both see none,
/// only the first succeeds. (0 would mean: write whatever is there.)
pub(crate) const ABSENT: u32 = u32::MAX;

/// A value and what to hand back to replace it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stored {
    /// The bytes, from whoever wrote them.
    pub value: Vec<u8>,
    /// Never 0; changes with every write.
    pub version: u32,
}
