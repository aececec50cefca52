//! One VM: the module's instance on one worker, and the callbacks that Envoy makes.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use wasmi::{Instance, Store, WasmParams, WasmResults};

use super::{
    Header, Module, Process,
    context::{Headers, Http, Root, State},
    headers::HeaderMap,
};

/// One instance of a module: what one Envoy worker runs.
///
/// All methods fail, naming the callback and quoting what the VM logged, if the module traps or calls the host in a way
/// that no filter should. That is the end of the VM, as in Envoy: later calls fail as well.
#[derive(Debug)]
pub struct Vm {
    store: Store<State>,
    instance: Instance,
    dead: bool,
}

/// A plugin's (root) context in a [`Vm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The context's id.
    pub id: u32,
    /// What `proxy_on_configure` returned. Envoy gives requests only to plugins that accepted their configuration.
    pub accepted: bool,
}

/// A stream (HTTP) context in a [`Vm`], as it stands after its latest callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The context's id.
    pub id: u32,
    /// The request's headers, with the filter's changes.
    pub headers: Vec<Header>,
    /// The response's headers with the filter's changes; empty before [`Vm::response`].
    pub response_headers: Vec<Header>,
    /// What the latest headers callback told Envoy to do.
    pub action: Action,
    /// The filter changed a request header, or asked for it: Envoy chooses the route anew.
    pub route_cache_cleared: bool,
    /// The response the filter gave by itself, if it did.
    pub local_response: Option<LocalResponse>,
}

/// What a headers callback tells Envoy to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Go on with the next filter.
    Continue,
    /// Hold the stream back.
    Pause,
}

/// A response that comes from the filter instead of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct LocalResponse {
    pub status: u32,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
}

impl Vm {
    /// Instantiates the module and runs its initialization (`_initialize`, or else `_start`).
    pub fn start(module: &Module, process: &Process) -> Result<Self> {
        let (mut store, instance) = module.instantiate(State::new(process))?;
        store.data_mut().restricted = true;
        let mut vm = Self { store, instance, dead: false };
        if vm.call::<(), ()>(0, "_initialize", ())?.is_none() {
            vm.call::<(), ()>(0, "_start", ())?;
        }
        vm.store.data_mut().restricted = false;
        Ok(vm)
    }

    /// Gives every stream of this VM a property, e.g. `["xds", "listener_direction"]`. Numbers are 8 bytes, little
    /// endian. `plugin_name` and `plugin_root_id` need not be set.
    pub fn set_property(&mut self, path: &[&str], value: &[u8]) {
        self.store.data_mut().properties.insert(path.join("\0").into_bytes(), value.to_vec());
    }

    /// How often the module has called the host so far, but for its log.
    pub fn host_calls(&self) -> u64 {
        self.store.data().host_calls
    }

    /// Creates a plugin context and configures it. Called again, it makes another one in the same VM: that is how Envoy
    /// applies a changed configuration, since it keys root contexts by name and configuration
    /// (proxy-wasm-cpp-host, `makePluginKey`).
    pub fn configure(&mut self, plugin_name: &str, configuration: &[u8]) -> Result<Plugin> {
        let id = self.state()?.add_root(plugin_name);
        self.call::<_, ()>(id, "proxy_on_context_create", (id, 0_u32))?;
        let started = self.call(id, "proxy_on_vm_start", (id, 0_u32))?;
        ensure!(started != Some(0_u32), "failed to start plugin {plugin_name}: proxy_on_vm_start returned false");
        let plugin = Plugin { id, accepted: true };
        let accepted = self.reconfigure(plugin, configuration)?;
        Ok(Plugin { accepted, ..plugin })
    }

    /// Configures an existing plugin context again, as hosts do that keep it. Returns whether it accepted; `plugin`
    /// itself goes on as before.
    pub fn reconfigure(&mut self, plugin: Plugin, configuration: &[u8]) -> Result<bool> {
        let id = plugin.id;
        let length = u32::try_from(configuration.len()).context("the configuration is too long")?;
        self.root(plugin)?.configuration = Some(configuration.to_vec());
        let accepted = self.call(id, "proxy_on_configure", (id, length))?;
        self.root(plugin)?.configuration = None;
        Ok(accepted != Some(0_u32))
    }

    /// Ends a plugin, as the host does when no listener has it any more: `proxy_on_done`, `proxy_on_delete`.
    pub fn end(&mut self, plugin: Plugin) -> Result<()> {
        let id = plugin.id;
        self.call::<_, u32>(id, "proxy_on_done", id)?;
        self.call::<_, ()>(id, "proxy_on_delete", id)?;
        self.state()?.remove(id);
        Ok(())
    }

    /// How often the plugin asked to be ticked; `None` if it does not.
    pub fn tick_period(&mut self, plugin: Plugin) -> Result<Option<Duration>> {
        Ok(self.root(plugin)?.tick_period)
    }

    /// Ticks once. Fails if the plugin did not ask for ticks. The clock does not move.
    pub fn tick(&mut self, plugin: Plugin) -> Result<()> {
        ensure!(self.tick_period(plugin)?.is_some(), "failed to tick: plugin context {} has no tick period", plugin.id);
        self.call::<_, ()>(plugin.id, "proxy_on_tick", plugin.id)?;
        Ok(())
    }

    /// Starts a stream with a request's headers, pseudo-headers included.
    pub fn request(&mut self, plugin: Plugin, headers: Vec<Header>, end_of_stream: bool) -> Result<Stream> {
        ensure!(plugin.accepted, "failed to start a stream: the plugin refused its configuration");
        self.root(plugin)?;
        let id = self.state()?.add_http(plugin.id);
        self.call::<_, ()>(id, "proxy_on_context_create", (id, plugin.id))?;
        let count = self.open(id, headers, |http| &mut http.request)?;
        let action = self.call(id, "proxy_on_request_headers", (id, count, u32::from(end_of_stream)))?;
        let action = self.close(id, action, |http| &mut http.request)?;
        self.stream(id, action)
    }

    /// Passes the response's headers through the stream and updates it.
    pub fn response(&mut self, stream: &mut Stream, headers: Vec<Header>) -> Result<()> {
        let id = stream.id;
        let count = self.open(id, headers, |http| &mut http.response)?;
        let action = self.call(id, "proxy_on_response_headers", (id, count, 0_u32))?;
        let action = self.close(id, action, |http| &mut http.response)?;
        *stream = self.stream(id, action)?;
        Ok(())
    }

    /// Ends a stream: `proxy_on_log`, `proxy_on_done`, `proxy_on_delete`.
    pub fn finish(&mut self, stream: Stream) -> Result<()> {
        let id = stream.id;
        self.http(id)?.logging = true;
        self.call::<_, ()>(id, "proxy_on_log", id)?;
        self.http(id)?.logging = false;
        self.call::<_, u32>(id, "proxy_on_done", id)?;
        self.call::<_, ()>(id, "proxy_on_delete", id)?;
        self.state()?.remove(id);
        Ok(())
    }

    /// Shows headers to the stream. Returns their number.
    fn open(&mut self, id: u32, headers: Vec<Header>, side: fn(&mut Http) -> &mut Headers) -> Result<u32> {
        let count = u32::try_from(headers.len()).context("too many headers")?;
        let http = self.http(id)?;
        http.stopped = false;
        *side(http) = Headers::open(HeaderMap::new(headers));
        Ok(count)
    }

    /// Hides the headers again if the stream goes on.
    fn close(&mut self, id: u32, action: Option<u32>, side: fn(&mut Http) -> &mut Headers) -> Result<Action> {
        let http = self.http(id)?;
        let action = match action.unwrap_or(0) {
            0 if !http.stopped => Action::Continue,
            0 | 1 => Action::Pause,
            other => bail!("failed to understand a headers callback: it returned {other}, not Continue or Pause"),
        };
        side(http).open = action == Action::Pause;
        Ok(action)
    }

    fn stream(&mut self, id: u32, action: Action) -> Result<Stream> {
        let http = self.http(id)?;
        let lines = |headers: &Headers| headers.map.as_ref().map(|map| map.lines().to_vec()).unwrap_or_default();
        Ok(Stream {
            id,
            headers: lines(&http.request),
            response_headers: lines(&http.response),
            action,
            route_cache_cleared: http.route_cache_cleared,
            local_response: http.local_response.clone(),
        })
    }

    fn root(&mut self, plugin: Plugin) -> Result<&mut Root> {
        self.state()?.root(plugin.id).with_context(|| format!("no plugin context {} in this vm", plugin.id))
    }

    fn http(&mut self, id: u32) -> Result<&mut Http> {
        self.state()?.http(id).with_context(|| format!("no stream context {id} in this vm"))
    }

    fn state(&mut self) -> Result<&mut State> {
        ensure!(!self.dead, "the vm is dead since an earlier failure");
        Ok(self.store.data_mut())
    }

    /// Calls an export on behalf of a context. `None` if the module does not export it: Envoy skips such callbacks.
    fn call<P: WasmParams, R: WasmResults>(&mut self, id: u32, callback: &str, parameters: P) -> Result<Option<R>> {
        self.state()?.enter(id);
        let Some(function) = self.instance.get_func(&self.store, callback) else { return Ok(None) };
        let function = function.typed::<P, R>(&self.store).with_context(|| format!("wrong signature of {callback}"))?;
        self.store.set_fuel(Module::FUEL)?;
        function.call(&mut self.store, parameters).map(Some).map_err(|error| {
            self.dead = true;
            let state = self.store.data();
            anyhow!("{callback} failed: {error}; log of the vm:{}", state.process.log_of(state.vm))
        })
    }
}
