//! The stream that the host is calling about.

use std::borrow::Cow;

use header_edit::{Direction, Edit, Request, RequestHeaders};
use proxy_wasm_abi::{
    LogLevel, get_property, get_request_header, get_request_headers, log, remove_request_header, set_request_header,
};

/// The request of the current stream, read from the host on every call.
#[derive(Clone, Copy, Debug)]
pub struct HostRequest;

impl RequestHeaders for HostRequest {
    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        get_request_header(name).map(Cow::Owned)
    }

    fn joined(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        // The map's getter knows the first line only; Envoy's attribute joins them.
        get_property(&["request\0headers\0", name].concat()).map(Cow::Owned)
    }

    fn every_line(&self) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)> {
        get_request_headers().into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }
}

impl Request for HostRequest {
    fn direction(&self) -> Option<Direction> {
        let direction = get_property("xds\0listener_direction")?;
        // An int64 (Envoy's `attributes.rst`), with the values of `envoy.config.core.v3.TrafficDirection`.
        match i64::from_le_bytes(direction.try_into().ok()?) {
            1 => Some(Direction::Inbound),
            2 => Some(Direction::Outbound),
            _ => None,
        }
    }
}

impl HostRequest {
    /// Does what the edits say.
    ///
    /// The host forgets the route that it chose by the old headers by itself, because the modules are of ABI 0.2.1, for
    /// which Envoy 1.33 and later do that; a test holds the exported version.
    pub(crate) fn apply<'a>(edits: impl IntoIterator<Item = Edit<'a>>) {
        for edit in edits {
            let (name, done) = match &edit {
                Edit::Set(name, value) => (name, set_request_header(name.as_str(), value.as_bytes())),
                Edit::Remove(name) => (name, remove_request_header(name.as_str())),
            };
            if let Err(status) = done {
                log(LogLevel::Error, &format!("failed to write header {}: {status}", name.as_str()));
            }
        }
    }
}
