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
    /// The value of a header as Envoy's routes read it: those of all lines named `name`, which is lower case, in order and
    /// joined by commas (RFC 9110, section 5.3). `None` if there is no such line, or nothing in it.
    ///
    /// Whoever reads one of several lines lets a client show one value to this filter and another to the route.
    fn value(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// The value of the first line named `name`: of the pseudo-headers `:authority`, `:method` and `:path`, which have one,
    /// and of `cookie`, whose lines cannot be joined. An empty line is `Some` of an empty value.
    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// A claim of the request's JSON Web Token, of which the proxy has verified the signature and the times; numbers in
    /// decimal. `None` if there is no such token, no such claim, or the claim is neither a text nor a whole number.
    fn claim(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// Every line in order, pseudo-headers among them, names in lower case. The dearest call to a proxy.
    fn every_line(&self) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)>;
}

/// One request: its headers, and where it comes from.
pub trait Request: RequestHeaders {
    /// Which way the request goes, seen from the pod; `None` if the proxy does not say.
    fn direction(&self) -> Option<Direction>;
}

/// Which way a request goes, seen from the pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// To the application of this pod.
    Inbound,
    /// From the application of this pod, or out of a gateway.
    Outbound,
}

/// Headers that go a certain way, without a proxy.
#[derive(Clone, Debug)]
pub struct Directed<H> {
    /// The headers.
    pub headers: H,
    /// The way.
    pub direction: Option<Direction>,
}

impl<H: RequestHeaders> RequestHeaders for Directed<H> {
    fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.headers.value(name)
    }

    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.headers.first(name)
    }

    fn claim(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.headers.claim(name)
    }

    fn every_line(&self) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)> {
        self.headers.every_line()
    }
}

impl<H: RequestHeaders> Request for Directed<H> {
    fn direction(&self) -> Option<Direction> {
        self.direction
    }
}

/// One change to the request headers. What no edit names stays byte-identical.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Edit<'a> {
    /// Replaces every line of that name by a single one.
    Set(Cow<'a, HeaderName>, Cow<'a, HeaderValue>),
    /// Removes every line of that name.
    Remove(Cow<'a, HeaderName>),
}
