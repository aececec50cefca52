//! What does not depend on the headers: attributes, and what all workers of the proxy's process share.

use std::time::UNIX_EPOCH;

use proxy_wasm::hostcalls;

/// An attribute of the current stream or of the proxy (Envoy's `attributes.rst`).
pub fn property(path: &[&str]) -> Option<Vec<u8>> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

/// An attribute that is a number of 64 bits.
pub fn number(path: &[&str]) -> Option<u64> {
    property(path)?.try_into().ok().map(u64::from_le_bytes)
}

/// The value of a label of the pod, as Istio writes it into the node's metadata. Readable outside of streams too.
pub fn node_label(label: &str) -> Option<Vec<u8>> {
    property(&["xds", "node", "metadata", "LABELS", label])
}

/// The value of a key in the process's shared data, and its CAS number, which changes with every write and is never 0.
///
/// Filters of one `vm_id`, which in Istio are all of them, share one key space, and no key can ever be removed.
pub fn get_shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let (value, cas) = hostcalls::get_shared_data(key).ok()?;
    // An empty value comes without bytes, a key that is not there without a number.
    Some((value.unwrap_or_default(), cas?))
}

/// Sets a key; false if it has another CAS number than `cas`. A `cas` of 0 matches every number, and a key that is not
/// there yet accepts any `cas` (proxy-wasm-cpp-host, `SharedData::set`).
pub fn set_shared_data(key: &str, value: &[u8], cas: u32) -> bool {
    hostcalls::set_shared_data(key, Some(value), Some(cas)).is_ok()
}

/// 128 bits that nobody can foresee, from WASI's `random_get`; `None` if the proxy has none to give.
pub fn random() -> Option<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(u128::from_le_bytes(bytes))
}

/// The time since the Unix epoch, in nanoseconds.
pub fn now() -> u64 {
    let time = hostcalls::get_current_time().ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
