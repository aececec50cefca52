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

    /// Envoy's `jwt_authn` writes the claims of a token that it has verified under the name that its `payload_in_metadata`
    /// says, for which Istio has `payload`.
    fn claim(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let payload = ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "payload"];
        claim_text(process::property(&[&payload[..], &[name]].concat())?).map(Cow::Owned)
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

/// A claim as text. The host hands over a number as the eight bytes of a double, and does not say so: a whole number below
/// 2^45, of which the last byte is 0, is told from a text by its control characters. So are lists and objects.
fn claim_text(value: Vec<u8>) -> Option<Vec<u8>> {
    if str::from_utf8(&value).is_ok_and(|text| !text.chars().any(char::is_control)) {
        return Some(value);
    }
    let number = f64::from_le_bytes(value.try_into().ok()?);
    // Larger ones are not exact in JSON.
    let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
    is_whole.then(|| format!("{number}").into_bytes())
}
