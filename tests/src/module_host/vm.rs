//! One VM: the module's instance on one worker, and the callbacks that Envoy makes.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use wasmi::{Instance, Store, WasmParams, WasmResults};

use super::{
    Header, Module, Process,
    context::{Http, Root, State},
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

/// A stream (HTTP) context in a [`Vm`], as it stands after its headers callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The context's id.
    pub id: u32,
    /// The request's headers, with the filter's changes.
    pub headers: Vec<Header>,
    /// The filter changed a request header: Envoy chooses the route anew.
    pub route_cache_cleared: bool,
}

const CONTINUE: u32 = 0;

impl Vm {
    /// Instantiates the module and runs its initialization (`_initialize`).
    pub fn start(module: &Module, process: &Process) -> Result<Self> {
        let (mut store, instance) = module.instantiate(State::new(process))?;
        store.data_mut().restricted = true;
        let mut vm = Self { store, instance, dead: false };
        vm.call::<(), ()>(0, "_initialize", ())?;
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
        let length = u32::try_from(configuration.len()).context("the configuration is too long")?;
        let mut plugin = Plugin { id, accepted: true };
        self.root(plugin)?.configuration = Some(configuration.to_vec());
        plugin.accepted = self.call(id, "proxy_on_configure", (id, length))? != Some(0_u32);
        self.root(plugin)?.configuration = None;
        Ok(plugin)
    }

    /// Ends a plugin, as the host does when no listener has it any more.
    pub fn end(&mut self, plugin: Plugin) -> Result<()> {
        self.delete(plugin.id)
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

    /// Starts a stream with a request's headers, pseudo-headers included. Fails if the filter holds the request up.
    pub fn request(&mut self, plugin: Plugin, headers: Vec<Header>, end_of_stream: bool) -> Result<Stream> {
        ensure!(plugin.accepted, "failed to start a stream: the plugin refused its configuration");
        self.root(plugin)?;
        let count = u32::try_from(headers.len()).context("too many headers")?;
        let id = self.state()?.add_http(plugin.id, HeaderMap::new(headers));
        self.call::<_, ()>(id, "proxy_on_context_create", (id, plugin.id))?;
        self.http(id)?.is_open = true;
        let action = self.call(id, "proxy_on_request_headers", (id, count, u32::from(end_of_stream)))?;
        ensure!(matches!(action, None | Some(CONTINUE)), "the filter holds the request up: it returned {action:?}");
        let http = self.http(id)?;
        http.is_open = false;
        Ok(Stream { id, headers: http.request.lines().to_vec(), route_cache_cleared: http.route_cache_cleared })
    }

    /// Ends a stream.
    pub fn finish(&mut self, stream: Stream) -> Result<()> {
        self.http(stream.id)?;
        self.delete(stream.id)
    }

    fn delete(&mut self, id: u32) -> Result<()> {
        self.call::<_, ()>(id, "proxy_on_delete", id)?;
        self.state()?.remove(id);
        Ok(())
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
        self.state()?.current = id;
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
