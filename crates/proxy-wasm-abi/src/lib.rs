//! The part of the [Proxy-Wasm ABI 0.2.1](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1) that the
//! filters need: the host's functions as safe Rust, and the callbacks that a module exports.
//!
//! The Rust SDK exports every callback there is, and the host calls those of a stream for each stream, so that a filter
//! of one callback is paid for as if it had them all; it ends the VM, and with it every stream of a worker, where a host function
//! returns what it does not expect. Here a module exports what it implements, and what cannot be read is not there.

mod callbacks;
mod header_map;
mod host;
mod imports;

pub use callbacks::Module;
#[doc(hidden)]
pub use callbacks::allocate;
pub use host::{
    BadStatus, LogLevel, Metric, define_counter, define_gauge, get_property, get_request_header, get_request_headers,
    get_shared_data, log, now, plugin_configuration, remove_request_header, set_request_header, set_shared_data,
    set_tick_period,
};
