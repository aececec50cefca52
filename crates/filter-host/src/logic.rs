//! What a filter is apart from the host it runs in.

use std::fmt::Display;

use header_edit::Edit;

use crate::HostRequest;

/// A pure function of a configuration and the headers.
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

    /// The names of the counters.
    fn counters(&self) -> &[String];

    /// Decides about one request: the changes to its headers. Whatever there is to count is counted by its index in
    /// [`Self::counters`].
    fn on_request(&self, request: &HostRequest, count: impl FnMut(usize)) -> Vec<Edit<'_>>;
}
