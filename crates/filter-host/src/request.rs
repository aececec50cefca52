//! The stream that the host is calling about.

use std::borrow::Cow;

use header_edit::{Direction, Edit, Request, RequestHeaders};
use proxy_wasm::{hostcalls, types::MapType};

use crate::process;

/// The request of the current stream, read from the host on every call.
#[derive(Clone, Copy, Debug)]
pub struct HostRequest;

impl RequestHeaders for HostRequest {
    fn value(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        process::property(&["request", "headers", name]).map(Cow::Owned)
    }

    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten().map(Cow::Owned)
    }

    fn every_line(&self) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)> {
        let lines = hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default();
        lines.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }
}

impl Request for HostRequest {
    fn direction(&self) -> Option<Direction> {
        // The values of `envoy.config.core.v3.TrafficDirection`.
        match process::number(&["xds", "listener_direction"])? {
            1 => Some(Direction::Inbound),
            2 => Some(Direction::Outbound),
            _ => None,
        }
    }
}

impl HostRequest {
    /// Does what the edits say.
    ///
    /// The host forgets the route that it chose by the old headers by itself, because the SDK's modules are of ABI
    /// 0.2.1, for which Envoy 1.33 and later do that; a test holds the exported version.
    pub(crate) fn apply<'a>(edits: impl IntoIterator<Item = Edit<'a>>) {
        for edit in edits {
            let (name, value) = match &edit {
                Edit::Set(name, value) => (name, Some(value.as_bytes())),
                Edit::Remove(name) => (name, None),
            };
            if let Err(status) = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name.as_str(), value) {
                log::error!("failed to write header {}: host status {}", name.as_str(), status as u32);
            }
        }
    }
}
