//! What every filter's shell needs of the Proxy-Wasm host.
//!
//! A filter is a [`Logic`]: a pure function of a configuration and the headers. [`start`] runs it in the proxy and
//! sees to what is the same for all filters: header access over bytes, counters, and a configuration that survives
//! bad updates. Nothing here decides anything about a request.

mod counters;
pub mod process;
mod request;
mod root;

use std::{fmt::Display, thread::LocalKey};

use header_edit::Edit;
use proxy_wasm::types::LogLevel;

pub use request::HostRequest;
pub use root::Serving;

/// What a filter is apart from the host it runs in.
pub trait Logic: Sized + 'static {
    /// What its log lines and metrics start with, such as `hash_tagging`.
    const NAME: &'static str;

    /// Reads a `pluginConfig`, whole or not at all.
    ///
    /// # Errors
    /// Names the field and what was expected.
    fn parse(configuration: &[u8]) -> Result<Self, impl Display>;

    /// What is valid but hardly meant, to be logged.
    fn warnings(&self) -> impl Iterator<Item = impl Display>;

    /// The names of the counters; [`Outcome::counters`] points into this list.
    fn counters(&self) -> &[String];

    /// Decides about one request.
    fn on_request(&self, request: &HostRequest) -> Outcome<'_>;

    /// Where the configurations that serve are remembered: a `thread_local!` of the module.
    fn serving() -> &'static LocalKey<Serving<Self>>;
}

/// What a filter wants done about one request.
#[derive(Debug, Default)]
pub struct Outcome<'a> {
    /// Changes to the headers.
    pub edits: Vec<Edit<'a>>,
    /// Indices of the counters to add one to.
    pub counters: Vec<usize>,
}

/// Registers the filter; the whole body of a module's `proxy_wasm::main!`.
pub fn start<L: Logic>() {
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::<L>::default()));
}
