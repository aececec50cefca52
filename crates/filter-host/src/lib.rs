//! What every filter's shell needs of the Proxy-Wasm host.
//!
//! A filter is a [`Logic`]: a pure function of a configuration and the headers. [`start`] runs it in the proxy and sees
//! to what is the same for all filters: header access over bytes, counters, and a configuration that survives bad
//! updates. Nothing here decides anything about a request.

mod configuration;
mod counters;
pub mod process;
mod request;
mod root;
mod serving;

use std::cell::Cell;

use header_edit::{Edit, HeaderName, HeaderValue};
use plugin_config::{Problem, Refused};
use proxy_wasm::types::LogLevel;

pub use request::HostRequest;

/// What a filter is apart from the host it runs in: a pure function of a configuration and the headers.
pub trait Logic {
    /// What is valid but hardly meant, to be logged.
    fn warnings(&self) -> &[Problem];

    /// The names of the counters.
    fn counters(&self) -> &[String];

    /// Decides about one request. Whatever there is to count is counted by its index in [`Self::counters`].
    fn on_request(&self, request: &HostRequest, count: &mut dyn FnMut(usize)) -> Changes<'_>;
}

/// What becomes of a request and of its response.
#[derive(Debug)]
pub struct Changes<'a> {
    /// The changes to the request's headers.
    pub request: Vec<Edit<'a>>,
    /// The lines that the response gets beside its own. Only a module that exports `proxy_on_response_headers` adds them.
    pub response: Vec<(HeaderName, HeaderValue)>,
}

/// The response stays as it is.
impl<'a> From<Vec<Edit<'a>>> for Changes<'a> {
    fn from(request: Vec<Edit<'a>>) -> Self {
        Self { request, response: Vec::new() }
    }
}

/// A configuration that was accepted, or all that is wrong about it.
pub type Parsed = Result<Box<dyn Logic>, Refused>;

/// What a module consists of.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// What its log lines and metrics start with, such as `hash_tagging`.
    pub name: &'static str,
    /// Reads a `pluginConfig`, whole or not at all.
    pub parse: fn(&[u8]) -> Parsed,
}

thread_local! {
    /// The SDK makes root contexts by a plain function.
    static FILTER: Cell<Option<Filter>> = const { Cell::new(None) };
}

/// Registers the filter; the whole body of a module's `proxy_wasm::main!`.
pub fn start(filter: Filter) {
    FILTER.set(Some(filter));
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::new(FILTER.get())));
}
