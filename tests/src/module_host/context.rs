//! The state of one VM: its contexts, and what a host call may see of them.

use std::{collections::BTreeMap, time::Duration};

use super::{Process, guest::BAD_ARGUMENT, headers::HeaderMap, process::Metric};

/// What a [`Vm`](super::Vm)'s store holds.
#[derive(Debug)]
pub(super) struct State {
    pub(super) process: Process,
    /// The number of this VM in its process.
    pub(super) vm: u32,
    /// Only logging and WASI may be called, as in Envoy while a module initializes or allocates
    /// (proxy-wasm-cpp-host, `setRestrictedCallback`).
    pub(super) restricted: bool,
    /// By path, as the ABI serializes it: parts joined by NUL.
    pub(super) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What is behind the ids this VM was given.
    pub(super) metrics: Vec<(Metric, String)>,
    /// All but those that write to the log.
    pub(super) host_calls: u64,
    contexts: BTreeMap<u32, Context>,
    last_context: u32,
    /// The context whose callback runs.
    pub(super) current: u32,
}

#[derive(Debug)]
enum Context {
    Root(Root),
    Http(Http),
}

/// A plugin's context.
#[derive(Debug, Default)]
pub(super) struct Root {
    pub(super) plugin_name: String,
    /// Readable only while the plugin is configured.
    pub(super) configuration: Option<Vec<u8>>,
    pub(super) tick_period: Option<Duration>,
}

/// A stream's context.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) root: u32,
    pub(super) request: HeaderMap,
    /// While the headers callback runs; afterwards Envoy forgets its pointer to the map.
    pub(super) is_open: bool,
    pub(super) route_cache_cleared: bool,
}

impl State {
    pub(super) fn new(process: &Process) -> Self {
        Self {
            process: process.clone(),
            vm: process.add_vm(),
            restricted: false,
            properties: BTreeMap::new(),
            metrics: Vec::new(),
            host_calls: 0,
            contexts: BTreeMap::new(),
            last_context: 0,
            current: 0,
        }
    }

    pub(super) fn add_root(&mut self, plugin_name: &str) -> u32 {
        self.add(Context::Root(Root { plugin_name: plugin_name.to_owned(), ..Root::default() }))
    }

    pub(super) fn add_http(&mut self, root: u32, request: HeaderMap) -> u32 {
        self.add(Context::Http(Http { root, request, is_open: false, route_cache_cleared: false }))
    }

    pub(super) fn remove(&mut self, id: u32) {
        self.contexts.remove(&id);
    }

    pub(super) fn root(&mut self, id: u32) -> Option<&mut Root> {
        match self.contexts.get_mut(&id)? {
            Context::Root(root) => Some(root),
            Context::Http(_) => None,
        }
    }

    pub(super) fn http(&mut self, id: u32) -> Option<&mut Http> {
        match self.contexts.get_mut(&id)? {
            Context::Root(_) => None,
            Context::Http(http) => Some(http),
        }
    }

    /// The stream that host calls act for, if it is one.
    pub(super) fn active_http(&mut self) -> Option<&mut Http> {
        self.http(self.current)
    }

    /// The plugin that host calls act for.
    pub(super) fn active_root(&mut self) -> Option<&mut Root> {
        let id = self.active_http().map(|http| http.root).unwrap_or(self.current);
        self.root(id)
    }

    /// The value of a property, as the active context sees it.
    ///
    /// A plugin context, outside of a stream, knows only its own name and the node (measured with Envoy 1.38 and 1.40):
    /// in particular not `xds.listener_direction`.
    pub(super) fn property(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if path == b"plugin_name" || path == b"plugin_root_id" {
            return Some(self.active_root()?.plugin_name.clone().into_bytes());
        }
        if self.active_http().is_none() && !path.starts_with(b"xds\0node\0") {
            return None;
        }
        if let Some(name) = path.strip_prefix(b"request\0headers\0") {
            return self.readable_map(REQUEST_HEADERS).ok()?.joined(name);
        }
        self.properties.get(path).cloned()
    }

    /// The header map that a getter reads, or the status that Envoy refuses with (`Context::getConstMap`).
    pub(super) fn readable_map(&mut self, number: u32) -> Result<&HeaderMap, u32> {
        Ok(&self.with_open_map(number)?.request)
    }

    /// The header map that a setter edits, or the status that Envoy refuses with (`Context::getMap`). To be called for
    /// each change: with ABI 0.2.1 any change of the request's headers clears the route cache (Envoy, `context.h`).
    pub(super) fn writable_map(&mut self, number: u32) -> Result<&mut HeaderMap, u32> {
        let http = self.with_open_map(number)?;
        http.route_cache_cleared = true;
        Ok(&mut http.request)
    }

    fn with_open_map(&mut self, number: u32) -> Result<&mut Http, u32> {
        self.active_http().filter(|http| http.is_open && number == REQUEST_HEADERS).ok_or(BAD_ARGUMENT)
    }

    fn add(&mut self, context: Context) -> u32 {
        self.last_context += 1;
        self.contexts.insert(self.last_context, context);
        self.last_context
    }
}

/// The `MapType` of the ABI. No filter here looks at responses.
const REQUEST_HEADERS: u32 = 0;
