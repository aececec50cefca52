//! What the VMs of one Envoy process have in common.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// One Envoy process: shared data, metrics, log and clock.
///
/// A handle: clones stand for the same process. Every [`Vm`](super::Vm) of the process shares one key space, as with
/// Istio, which gives all plugins the same (empty) `vm_id`.
#[derive(Clone, Debug, Default)]
pub struct Process {
    shared: Arc<Mutex<Shared>>,
}

/// A log level of the ABI, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    Counter,
    Gauge,
}

#[derive(Debug)]
struct Shared {
    data: BTreeMap<Vec<u8>, Entry>,
    next_cas: u32,
    metrics: BTreeMap<(Metric, String), u64>,
    log: Vec<Line>,
    time: Duration,
    has_no_randomness: bool,
    vms: u32,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    cas: u32,
}

#[derive(Debug)]
struct Line {
    vm: u32,
    level: Level,
    text: String,
}

impl Process {
    /// Where the clock of a new process stands, as time since the Unix epoch.
    pub const START: Duration = Duration::from_secs(1_800_000_000);

    /// A process in which nothing happened yet. Its clock stands at [`Process::START`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The time since the Unix epoch. It stands still unless [`set_time`](Self::set_time) moves it.
    pub fn time(&self) -> Duration {
        self.lock().time
    }

    /// Sets the clock, forwards or backwards; `time` counts from the Unix epoch.
    pub fn set_time(&self, time: Duration) {
        self.lock().time = time;
    }

    /// From now on the process has no random bytes to give.
    pub fn end_randomness(&self) {
        self.lock().has_no_randomness = true;
    }

    pub(super) fn has_randomness(&self) -> bool {
        !self.lock().has_no_randomness
    }

    /// The value of a counter, `None` if no VM defined it. Names are without Envoy's `wasmcustom.` prefix.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.lock().metrics.get(&(Metric::Counter, name.to_owned())).copied()
    }

    /// The value of a gauge, `None` if no VM defined it.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.lock().metrics.get(&(Metric::Gauge, name.to_owned())).copied()
    }

    /// The sum of all counters.
    pub fn counted(&self) -> u64 {
        let shared = self.lock();
        shared.metrics.iter().filter(|((kind, _), _)| *kind == Metric::Counter).map(|(_, value)| value).sum()
    }

    /// What all VMs logged, in order. Unlike Envoy it keeps every level.
    pub fn log(&self) -> Vec<(Level, String)> {
        self.lock().log.iter().map(|line| (line.level, line.text.clone())).collect()
    }

    /// The number of shared data keys, including those with an empty value.
    pub fn shared_data_len(&self) -> usize {
        self.lock().data.len()
    }

    /// The value and CAS number of a shared data key.
    pub fn shared_data(&self, key: &[u8]) -> Option<(Vec<u8>, u32)> {
        self.lock().data.get(key).map(|entry| (entry.value.clone(), entry.cas))
    }

    /// Sets a shared data key, as another plugin of the process could. `false` is a CAS mismatch.
    ///
    /// A `cas` of zero matches anything, and so does any `cas` if the key is new (proxy-wasm-cpp-host,
    /// `SharedData::set`). Nothing removes a key.
    pub fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> bool {
        let shared = &mut *self.lock();
        if cas != 0 && shared.data.get(key).is_some_and(|entry| entry.cas != cas) {
            return false;
        }
        let entry = Entry { value: value.to_vec(), cas: shared.next_cas };
        shared.data.insert(key.to_vec(), entry);
        shared.next_cas = shared.next_cas.checked_add(1).unwrap_or(1);
        true
    }

    /// Registers a VM and returns its number.
    pub(super) fn add_vm(&self) -> u32 {
        let mut shared = self.lock();
        shared.vms += 1;
        shared.vms
    }

    pub(super) fn write_log(&self, vm: u32, level: Level, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        self.lock().log.push(Line { vm, level, text });
    }

    /// What one VM logged, a line each.
    pub(super) fn log_of(&self, vm: u32) -> String {
        let shared = self.lock();
        let lines = shared.log.iter().filter(|line| line.vm == vm);
        lines.map(|line| format!("\n  {}: {}", line.level, line.text)).collect()
    }

    /// Runs `change` on a metric, which starts at zero.
    pub(super) fn with_metric(&self, metric: &(Metric, String), change: impl FnOnce(&mut u64)) {
        change(self.lock().metrics.entry(metric.clone()).or_default());
    }

    /// A test that failed while it held the lock must not hide its own message behind a poisoned mutex.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            data: BTreeMap::new(),
            next_cas: 1,
            metrics: BTreeMap::new(),
            log: Vec::new(),
            time: Process::START,
            has_no_randomness: false,
            vms: 0,
        }
    }
}

impl Level {
    /// The level with this number in the ABI.
    pub(super) fn from_abi(number: u32) -> Option<Self> {
        use Level::{Critical, Debug, Error, Info, Trace, Warn};
        [Trace, Debug, Info, Warn, Error, Critical].get(number as usize).copied()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cas_is_checked_only_when_given_and_the_key_exists() {
        let process = Process::new();
        assert!(process.set_shared_data(b"k", b"new", 77), "a new key accepts any cas");
        let (_, first) = process.shared_data(b"k").unwrap();
        assert!(process.set_shared_data(b"k", b"second", first));
        assert!(!process.set_shared_data(b"k", b"late", first), "the cas is used up");
        assert_eq!(process.shared_data(b"k").unwrap().0, b"second");
        assert!(process.set_shared_data(b"k", b"forced", 0), "zero is no cas");
        assert_eq!(process.shared_data(b"k").unwrap().0, b"forced");
    }

    #[test]
    fn an_empty_value_keeps_the_key() {
        let process = Process::new();
        process.set_shared_data(b"key", b"value", 0);
        process.set_shared_data(b"key", b"", 0);
        assert_eq!(process.shared_data_len(), 1);
        let (value, cas) = process.shared_data(b"key").unwrap();
        assert_eq!(value, b"");
        assert_ne!(cas, 0);
    }

    #[test]
    fn clones_are_the_same_process() {
        let process = Process::new();
        let clone = process.clone();
        clone.set_time(Duration::from_nanos(7));
        assert_eq!(process.time(), clone.time());
    }
}
