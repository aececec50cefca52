//! Asking proxies: as fast as they answer, or at a constant rate.

mod closed;
mod connection;
mod constant;
mod request;
mod upstream;

pub(crate) use self::{
    closed::{ClosedLoop, Target},
    connection::ask,
    constant::Constant,
    request::{Header, Request, header},
    upstream::Upstream,
};
