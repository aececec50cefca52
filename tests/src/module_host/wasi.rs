//! The part of WASI that Rust's standard library calls, as Envoy implements it (proxy-wasm-cpp-host, `exports.cc`).

use wasmi::{Caller, Error, Linker, errors::LinkerError};

use super::{
    context::State,
    guest::{Answer, Guest},
    process::Level,
};

/// Defines the functions in the linker.
pub(super) fn link(linker: &mut Linker<State>) -> Result<(), LinkerError> {
    const WASI: &str = "wasi_snapshot_preview1";
    linker.func_wrap(WASI, "environ_get", no_variables)?;
    linker.func_wrap(WASI, "environ_sizes_get", no_variables_sizes)?;
    linker.func_wrap(WASI, "fd_write", fd_write)?;
    linker.func_wrap(WASI, "proc_exit", proc_exit)?;
    linker.func_wrap(WASI, "random_get", random_get)?;
    Ok(())
}

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const IO: u32 = 29;

/// There are no environment variables.
fn no_variables(_: Caller<'_, State>, _array: u32, _buffer: u32) -> u32 {
    SUCCESS
}

fn no_variables_sizes(caller: Caller<'_, State>, count_out: u32, size_out: u32) -> Answer {
    let mut guest = Guest::enter_restricted(caller)?;
    guest.write_u32(count_out, 0)?;
    guest.write_u32(size_out, 0)?;
    Ok(SUCCESS)
}

/// Standard output is logged as information, standard error as an error.
fn fd_write(caller: Caller<'_, State>, fd: u32, slices: u32, count: u32, written_out: u32) -> Answer {
    let mut guest = Guest::enter_restricted(caller)?;
    let level = match fd {
        1 => Level::Info,
        2 => Level::Error,
        _ => return Ok(BADF),
    };
    let mut text = Vec::new();
    for slice in (0..count).map(|index| slices.saturating_add(index.saturating_mul(8))) {
        let (address, length) = (guest.read_u32(slice)?, guest.read_u32(slice.saturating_add(4))?);
        text.extend(guest.read(address, length)?);
    }
    if !text.is_empty() {
        let state = guest.state();
        state.process.write_log(state.vm, level, text.strip_suffix(b"\n").unwrap_or(&text));
    }
    guest.write_u32(written_out, u32::try_from(text.len()).unwrap_or(u32::MAX))?;
    Ok(SUCCESS)
}

fn proc_exit(_: Caller<'_, State>, status: i32) -> Result<(), Error> {
    Err(Error::new(format!("the module called wasi proc_exit({status})")))
}

/// The same "random" bytes in every run, so that a failure can be repeated.
fn random_get(caller: Caller<'_, State>, address: u32, length: u32) -> Answer {
    let mut guest = Guest::enter_restricted(caller)?;
    if !guest.state().process.has_randomness() {
        return Ok(IO);
    }
    let mut bytes = guest.read(address, length)?;
    let mut seed = u64::from(guest.state().vm);
    bytes.fill_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    });
    guest.write(address, &bytes)?;
    Ok(SUCCESS)
}
