//! An in-process Proxy-Wasm host that runs the filter modules as they are shipped.
//!
//! It stands in for Envoy: it keeps the state that Envoy keeps (headers, properties, shared data, metrics, log), answers
//! those host calls of ABI 0.2.1 that a filter makes from that state, and lets a test read the outcome. It counts calls, but neither records nor
//! expects any. Where Envoy would take a filter's mistake silently, it is stricter: a host call that it does not know, memory that is
//! not the module's, or a header that HTTP does not allow is an error.
//!
//! Its model is Envoy 1.38 to 1.40 (`source/extensions/common/wasm/context.cc`) on proxy-wasm-cpp-host
//! (`src/exports.cc`, `src/context.cc`), with a fixed clock and without responses, bodies, trailers, calls to other
//! services and queues.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use traffic_lanes_tests::module_host::{Module, Process, Vm};
//!
//! let module = Module::load("hash_tagging.wasm".as_ref())?;
//! let process = Process::new();
//! let mut vm = Vm::start(&module, &process)?;
//! let plugin = vm.configure("tagging", b"{}")?;
//! let stream = vm.request(plugin, vec![(b"x-user-id".to_vec(), b"jason".to_vec())], true)?;
//! assert!(stream.route_cache_cleared);
//! vm.finish(stream)?;
//! # Ok(())
//! # }
//! ```

mod context;
mod guest;
mod headers;
mod process;
mod process_calls;
mod stream_calls;
mod vm;
mod wasi;

#[cfg(test)]
mod tests;

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use wasmi::{Config, Engine, Error, ExternType, Instance, Linker, Store};

pub use self::{
    process::{Level, Process},
    vm::{Plugin, Stream, Vm},
};

/// A header line: its name in lower case, and its value. Both are bytes; order and repeated names are kept.
pub type Header = (Vec<u8>, Vec<u8>);

/// A compiled filter module. Cheap to clone, and to share between threads.
#[derive(Clone, Debug)]
pub struct Module {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    module: wasmi::Module,
    linker: Linker<context::State>,
}

impl Module {
    /// Reads and compiles a `.wasm` file. Fails if it is not a module of ABI 0.2.1 that Envoy could run.
    pub fn load(path: &Path) -> Result<Self> {
        let wasm = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::compile(&wasm).with_context(|| format!("failed to load {}", path.display()))
    }

    /// The bound on one callback, in wasmi's fuel: about a second, so that an endless loop fails a test instead of
    /// hanging it.
    const FUEL: u64 = 100_000_000;

    fn compile(wasm: &[u8]) -> Result<Self> {
        let engine = Engine::new(Config::default().consume_fuel(true));
        let module = wasmi::Module::new(&engine, wasm)?;
        for required in ["proxy_abi_version_0_2_1", "memory", guest::ALLOCATOR] {
            ensure!(module.get_export(required).is_some(), "the module does not export {required}");
        }
        let linker = link(&engine, &module)?;
        Ok(Self { inner: Arc::new(Inner { module, linker }) })
    }

    fn instantiate(&self, state: context::State) -> Result<(Store<context::State>, Instance)> {
        let mut store = Store::new(self.inner.linker.engine(), state);
        store.set_fuel(Self::FUEL)?;
        let instance = self.inner.linker.instantiate_and_start(&mut store, &self.inner.module);
        Ok((store, instance.context("failed to instantiate the module")?))
    }
}

/// The host calls, and for everything else that the module imports a function that fails.
fn link(engine: &Engine, module: &wasmi::Module) -> Result<Linker<context::State>> {
    let mut linker = Linker::new(engine);
    linker.allow_shadowing(true);
    for import in module.imports() {
        if let ExternType::Func(signature) = import.ty() {
            let unexpected = format!("unexpected host call {}.{}", import.module(), import.name());
            linker.func_new(import.module(), import.name(), signature.clone(), move |_, _, _| {
                Err(Error::new(unexpected.clone()))
            })?;
        }
    }
    process_calls::link(&mut linker)?;
    stream_calls::link(&mut linker)?;
    wasi::link(&mut linker)?;
    Ok(linker)
}
