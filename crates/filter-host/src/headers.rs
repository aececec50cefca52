//! Request headers of the stream that the host is calling about.

use std::borrow::Cow;

use header_edit::{Edit, RequestHeaders};
use proxy_wasm::{hostcalls, types::MapType};

/// The request headers of the current stream, read from the host on every call.
#[derive(Clone, Copy, Debug)]
pub struct HostHeaders;

impl RequestHeaders for HostHeaders {
    fn first(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten().map(Cow::Owned)
    }
}

impl HostHeaders {
    /// Does what the edits say.
    ///
    /// The host forgets the route that it chose by the old headers by itself, because the SDK's modules are of ABI
    /// 0.2.1 (Envoy 1.33 and later: `ContextBase::isProxyWasmAbiVersion…`; a test holds the exported version).
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
