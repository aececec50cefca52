//! How a filter sees request headers and says what to change.
//!
//! This is the only contract between a pure crate, which decides, and a shell, which talks to the proxy: the pure crate
//! reads through [`RequestHeaders`] and answers with [`Edit`]s. [`HeaderList`] is both sides without a proxy, for
//! tools and tests.
//!
//! Header values are bytes: HTTP allows 0x80–0xFF in them (RFC 9110, section 5.5), so nothing here is a `String`.

mod list;
mod syntax;

use std::borrow::Cow;

pub use list::HeaderList;
pub use syntax::{HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue};

/// The headers of one request, as they were when the filter was called.
pub trait RequestHeaders {
    /// The value of the first line named `name`, which is lower case; the pseudo-headers `:authority`, `:method` and
    /// `:path` are read the same way. `None` if there is no such line; an empty line is `Some` of an empty value.
    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>>;
}

/// One change to the request headers. What no edit names stays byte-identical.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Edit<'a> {
    /// Replaces every line of that name by a single one.
    Set(&'a HeaderName, Cow<'a, HeaderValue>),
    /// Removes every line of that name.
    Remove(&'a HeaderName),
}
