//! The host's functions as the ABI declares them, and the one place where its memory becomes ours.
#![expect(unsafe_code, reason = "the host is called through pointers, and hands over memory that it had us allocate")]

use std::ptr::null_mut;

/// What a host function returns (`proxy_wasm::WasmResult` of proxy-wasm-cpp-host); 0 is success.
pub(crate) type Status = u32;

/// A result that the host had [`crate::callbacks::allocate`] make room for.
struct Returned {
    data: *mut u8,
    size: usize,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> Status;
    fn proxy_set_tick_period_milliseconds(period: u32) -> Status;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> Status;
    fn proxy_get_property(path: *const u8, size: usize, value: *mut *mut u8, value_size: *mut usize) -> Status;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        length: usize,
        data: *mut *mut u8,
        data_size: *mut usize,
    ) -> Status;
    fn proxy_get_header_map_pairs(map: u32, pairs: *mut *mut u8, pairs_size: *mut usize) -> Status;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
    ) -> Status;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> Status;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> Status;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        value: *mut *mut u8,
        value_size: *mut usize,
        cas: *mut u32,
    ) -> Status;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> Status;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> Status;
    fn proxy_increment_metric(id: u32, offset: i64) -> Status;
    fn proxy_record_metric(id: u32, value: u64) -> Status;
}

impl Returned {
    const fn nothing() -> Self {
        Self { data: null_mut(), size: 0 }
    }

    /// The bytes, if the host function that was given this place succeeded. Of an empty result it may leave the address
    /// as it was.
    fn bytes(self, status: Status) -> Result<Vec<u8>, Status> {
        match (status, self.data.is_null()) {
            (0, true) => Ok(Vec::new()),
            // SAFETY: the host writes the address and the size of an allocation that it asked for with exactly this
            // size, for this result, and forgets it (proxy-wasm-cpp-host, `WasmBase::copyToPointerSize`).
            (0, false) => Ok(unsafe { Vec::from_raw_parts(self.data, self.size, self.size) }),
            (status, _) => Err(status),
        }
    }
}

// SAFETY, for all of them: the host reads what pointer and size describe, which is borrowed for as long as the call
// takes, and writes results through pointers to local variables of the ABI's types.

pub(crate) fn log(level: u32, message: &str) -> Status {
    unsafe { proxy_log(level, message.as_ptr(), message.len()) }
}

pub(crate) fn set_tick_period(milliseconds: u32) -> Status {
    unsafe { proxy_set_tick_period_milliseconds(milliseconds) }
}

pub(crate) fn current_time() -> Result<u64, Status> {
    let mut time = 0;
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    if status == 0 { Ok(time) } else { Err(status) }
}

pub(crate) fn property(path: &[u8]) -> Result<Vec<u8>, Status> {
    let mut value = Returned::nothing();
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &raw mut value.data, &raw mut value.size) };
    value.bytes(status)
}

pub(crate) fn buffer(buffer: u32) -> Result<Vec<u8>, Status> {
    let mut bytes = Returned::nothing();
    let status =
        unsafe { proxy_get_buffer_bytes(buffer, 0, usize::MAX >> 1, &raw mut bytes.data, &raw mut bytes.size) };
    bytes.bytes(status)
}

pub(crate) fn header_pairs(map: u32) -> Result<Vec<u8>, Status> {
    let mut pairs = Returned::nothing();
    let status = unsafe { proxy_get_header_map_pairs(map, &raw mut pairs.data, &raw mut pairs.size) };
    pairs.bytes(status)
}

pub(crate) fn header_value(map: u32, name: &str) -> Result<Vec<u8>, Status> {
    let mut value = Returned::nothing();
    let status =
        unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), &raw mut value.data, &raw mut value.size) };
    value.bytes(status)
}

pub(crate) fn replace_header(map: u32, name: &str, value: &[u8]) -> Status {
    unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
}

pub(crate) fn remove_header(map: u32, name: &str) -> Status {
    unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) }
}

/// The value and its CAS number.
pub(crate) fn shared_data(key: &str) -> Result<(Vec<u8>, u32), Status> {
    let mut value = Returned::nothing();
    let mut cas = 0;
    let status = unsafe {
        proxy_get_shared_data(key.as_ptr(), key.len(), &raw mut value.data, &raw mut value.size, &raw mut cas)
    };
    value.bytes(status).map(|value| (value, cas))
}

pub(crate) fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Status {
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) }
}

pub(crate) fn define_metric(kind: u32, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    if status == 0 { Ok(id) } else { Err(status) }
}

pub(crate) fn increment_metric(id: u32, offset: i64) -> Status {
    unsafe { proxy_increment_metric(id, offset) }
}

pub(crate) fn record_metric(id: u32, value: u64) -> Status {
    unsafe { proxy_record_metric(id, value) }
}
