//! What a module can ask of the host. The numbers are those of the ABI.

use std::{fmt, time::Duration};

use crate::{header_map, imports};

const REQUEST_HEADERS: u32 = 0;
const PLUGIN_CONFIGURATION: u32 = 7;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;

/// How much a log line matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogLevel {
    /// Something is hardly meant.
    Warn = 3,
    /// Something was refused or failed.
    Error = 4,
}

/// The host did not do what it was asked to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadStatus(u32);

/// A metric of the host, which all workers share.
#[derive(Clone, Copy, Debug)]
pub struct Metric(u32);

/// Writes a line into the host's log.
pub fn log(level: LogLevel, message: &str) {
    // Where the log cannot be written, there is nowhere to say so.
    imports::log(level as u32, message);
}

/// Has the host call [`crate::Module::on_tick`] of the current plug-in again and again; whole milliseconds count.
pub fn set_tick_period(period: Duration) {
    imports::set_tick_period(u32::try_from(period.as_millis()).unwrap_or(u32::MAX));
}

/// The time since the Unix epoch, in nanoseconds; 0 if the host does not say.
pub fn now() -> u64 {
    imports::current_time().unwrap_or_default()
}

/// The configuration of the current plug-in, as text or whatever else the host was given.
pub fn plugin_configuration() -> Vec<u8> {
    imports::buffer(PLUGIN_CONFIGURATION).unwrap_or_default()
}

/// A property: Envoy's attributes as CEL's bytes. `None` if there is none. The parts of its path are separated by NUL, as in
/// `xds\0listener_direction`.
pub fn get_property(path: &str) -> Option<Vec<u8>> {
    let value = imports::property(path.as_bytes()).ok()?;
    Some(value).filter(|value| !value.is_empty())
}

/// The value of the first request header of that name.
pub fn get_request_header(name: &str) -> Option<Vec<u8>> {
    imports::header_value(REQUEST_HEADERS, name).ok()
}

/// Every line of the request's headers, pseudo-headers among them.
pub fn get_request_headers() -> Vec<(String, Vec<u8>)> {
    header_map::decode(&imports::header_pairs(REQUEST_HEADERS).unwrap_or_default())
}

/// Replaces every line of that name by one.
///
/// # Errors
/// The host did not do it.
pub fn set_request_header(name: &str, value: &[u8]) -> Result<(), BadStatus> {
    done(imports::replace_header(REQUEST_HEADERS, name, value))
}

/// Removes every line of that name.
///
/// # Errors
/// The host did not do it.
pub fn remove_request_header(name: &str) -> Result<(), BadStatus> {
    done(imports::remove_header(REQUEST_HEADERS, name))
}

/// The value of a key in the process's shared data, and its CAS number, which changes with every write and is never 0.
pub fn get_shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    imports::shared_data(key).ok()
}

/// Sets a key; an error if it has another CAS number than `cas`. A `cas` of 0 matches every number, and a key that is
/// not there yet accepts any `cas` (proxy-wasm-cpp-host, `SharedData::set`).
///
/// # Errors
/// The host did not do it.
pub fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Result<(), BadStatus> {
    done(imports::set_shared_data(key, value, cas))
}

/// A counter, which the host keeps for ever.
///
/// # Errors
/// The host did not do it.
pub fn define_counter(name: &str) -> Result<Metric, BadStatus> {
    imports::define_metric(COUNTER, name).map(Metric).map_err(BadStatus)
}

/// A gauge, which the host keeps for ever.
///
/// # Errors
/// The host did not do it.
pub fn define_gauge(name: &str) -> Result<Metric, BadStatus> {
    imports::define_metric(GAUGE, name).map(Metric).map_err(BadStatus)
}

fn done(status: imports::Status) -> Result<(), BadStatus> {
    if status == 0 { Ok(()) } else { Err(BadStatus(status)) }
}

impl Metric {
    /// Adds to it.
    ///
    /// # Errors
    /// The host did not do it.
    pub fn increment(self, by: i64) -> Result<(), BadStatus> {
        done(imports::increment_metric(self.0, by))
    }

    /// Sets it.
    ///
    /// # Errors
    /// The host did not do it.
    pub fn record(self, value: u64) -> Result<(), BadStatus> {
        done(imports::record_metric(self.0, value))
    }
}

impl fmt::Display for BadStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host status {}", self.0)
    }
}
