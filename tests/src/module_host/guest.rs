//! The module's side of a host call: its memory and its allocator.

use wasmi::{Caller, Error, Extern, Memory};

use super::context::State;

/// What a host call returns to the module: a status, or an error that traps.
pub(super) type Answer = Result<u32, Error>;

// The statuses of the ABI that this host answers with (`WasmResult` in proxy_wasm_common.h).
pub(super) const OK: u32 = 0;
pub(super) const NOT_FOUND: u32 = 1;
pub(super) const BAD_ARGUMENT: u32 = 2;
pub(super) const CAS_MISMATCH: u32 = 8;

/// The module that made a host call.
pub(super) struct Guest<'a> {
    caller: Caller<'a, State>,
    memory: Memory,
}

impl<'a> Guest<'a> {
    /// For host calls that need a context: they trap while the module initializes.
    pub(super) fn enter(mut caller: Caller<'a, State>) -> Result<Self, Error> {
        caller.data_mut().host_calls += 1;
        if caller.data().restricted {
            return Err(Error::new("a module may only log while it initializes or allocates"));
        }
        Self::enter_restricted(caller)
    }

    /// For host calls that are always allowed.
    pub(super) fn enter_restricted(caller: Caller<'a, State>) -> Result<Self, Error> {
        let memory = caller.get_export("memory").and_then(Extern::into_memory);
        let memory = memory.ok_or_else(|| Error::new("the module exports no memory"))?;
        Ok(Self { caller, memory })
    }

    pub(super) fn state(&mut self) -> &mut State {
        self.caller.data_mut()
    }

    pub(super) fn read(&self, address: u32, length: u32) -> Result<Vec<u8>, Error> {
        let start = address as usize;
        let bytes = self.memory.data(&self.caller).get(start..start + length as usize);
        bytes.map(<[u8]>::to_vec).ok_or_else(|| out_of_bounds(address, length as usize))
    }

    pub(super) fn read_u32(&self, address: u32) -> Result<u32, Error> {
        let mut bytes = [0; 4];
        let read = self.memory.read(&self.caller, address as usize, &mut bytes);
        read.map_err(|_| out_of_bounds(address, bytes.len()))?;
        Ok(u32::from_le_bytes(bytes))
    }

    pub(super) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Error> {
        let written = self.memory.write(&mut self.caller, address as usize, bytes);
        written.map_err(|_| out_of_bounds(address, bytes.len()))
    }

    pub(super) fn write_u32(&mut self, address: u32, value: u32) -> Result<(), Error> {
        self.write(address, &value.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, address: u32, value: u64) -> Result<(), Error> {
        self.write(address, &value.to_le_bytes())
    }

    /// Hands bytes over in memory that the module allocates and then owns; no bytes are a null pointer
    /// (proxy-wasm-cpp-host, `copyToPointerSize`).
    pub(super) fn give(&mut self, bytes: &[u8], address_out: u32, length_out: u32) -> Answer {
        let length = u32::try_from(bytes.len()).map_err(|_| Error::new("more bytes than a module can address"))?;
        let address = if bytes.is_empty() { 0 } else { self.allocate(length)? };
        self.write(address, bytes)?;
        self.write_u32(address_out, address)?;
        self.write_u32(length_out, length)?;
        Ok(OK)
    }

    fn allocate(&mut self, length: u32) -> Result<u32, Error> {
        let allocator = self.caller.get_export(ALLOCATOR).and_then(Extern::into_func);
        let allocator = allocator.ok_or_else(|| Error::new("the module exports no allocator"))?;
        let allocator = allocator.typed::<u32, u32>(&self.caller)?;
        self.state().restricted = true;
        let address = allocator.call(&mut self.caller, length)?;
        self.state().restricted = false;
        if address == 0 { Err(Error::new("the module's allocator failed")) } else { Ok(address) }
    }
}

/// The export that Envoy allocates with where there is no `malloc`.
pub(super) const ALLOCATOR: &str = "proxy_on_memory_allocate";

fn out_of_bounds(address: u32, length: usize) -> Error {
    Error::new(format!("{length} bytes at {address:#x} are not within the module's memory"))
}
