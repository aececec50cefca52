//! The host calls about the process and its plugins: log, clock, ticks, configuration, shared data, metrics.

use std::time::Duration;

use wasmi::{Caller, Error, Linker, errors::LinkerError};

use super::{
    context::State,
    guest::{Answer, BAD_ARGUMENT, CAS_MISMATCH, Guest, NOT_FOUND, OK},
    process::{Level, Metric},
};

/// Defines the functions in the linker.
pub(super) fn link(linker: &mut Linker<State>) -> Result<(), LinkerError> {
    linker.func_wrap("env", "proxy_log", log)?;
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", get_current_time)?;
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", set_tick_period)?;
    linker.func_wrap("env", "proxy_get_buffer_bytes", get_buffer_bytes)?;
    linker.func_wrap("env", "proxy_get_shared_data", get_shared_data)?;
    linker.func_wrap("env", "proxy_set_shared_data", set_shared_data)?;
    linker.func_wrap("env", "proxy_define_metric", define_metric)?;
    linker.func_wrap("env", "proxy_increment_metric", increment_metric)?;
    linker.func_wrap("env", "proxy_record_metric", record_metric)?;
    Ok(())
}

fn log(caller: Caller<'_, State>, level: u32, text: u32, text_len: u32) -> Answer {
    let mut guest = Guest::enter_restricted(caller)?;
    let Some(level) = Level::from_abi(level) else { return Ok(BAD_ARGUMENT) };
    let text = guest.read(text, text_len)?;
    let state = guest.state();
    state.process.write_log(state.vm, level, &text);
    Ok(OK)
}

fn get_current_time(caller: Caller<'_, State>, time_out: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let time = guest.state().process.time();
    guest.write_u64(time_out, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))?;
    Ok(OK)
}

/// Sets the period of the plugin, also from a stream. Zero stops the ticks.
fn set_tick_period(caller: Caller<'_, State>, milliseconds: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let root = guest.state().active_root().ok_or_else(|| Error::new("a tick period without a plugin"))?;
    root.tick_period = (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()));
    Ok(OK)
}

/// The VM's configuration, which is always empty, or the plugin's while it is being configured.
fn get_buffer_bytes(
    caller: Caller<'_, State>,
    buffer: u32,
    start: u32,
    max_len: u32,
    data_out: u32,
    len_out: u32,
) -> Answer {
    const VM_CONFIGURATION: u32 = 6;
    const PLUGIN_CONFIGURATION: u32 = 7;
    let mut guest = Guest::enter(caller)?;
    let bytes = match buffer {
        VM_CONFIGURATION => Some(Vec::new()),
        PLUGIN_CONFIGURATION => guest.state().active_root().and_then(|root| root.configuration.clone()),
        _ => return Err(Error::new(format!("unexpected host call env.proxy_get_buffer_bytes of buffer {buffer}"))),
    };
    let Some(bytes) = bytes else { return Ok(NOT_FOUND) };
    let end = (start as usize).saturating_add(max_len as usize).min(bytes.len());
    guest.give(bytes.get(start as usize..end).unwrap_or_default(), data_out, len_out)
}

fn get_shared_data(
    caller: Caller<'_, State>,
    key: u32,
    key_len: u32,
    data_out: u32,
    len_out: u32,
    cas_out: u32,
) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let key = guest.read(key, key_len)?;
    let Some((value, cas)) = guest.state().process.shared_data(&key) else { return Ok(NOT_FOUND) };
    guest.write_u32(cas_out, cas)?;
    guest.give(&value, data_out, len_out)
}

fn set_shared_data(caller: Caller<'_, State>, key: u32, key_len: u32, value: u32, value_len: u32, cas: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let (key, value) = (guest.read(key, key_len)?, guest.read(value, value_len)?);
    let set = guest.state().process.set_shared_data(&key, &value, cas);
    Ok(if set { OK } else { CAS_MISMATCH })
}

/// Gives a new id each time, also for a name that is already defined (Envoy, `Context::defineMetric`).
fn define_metric(caller: Caller<'_, State>, kind: u32, name: u32, name_len: u32, id_out: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let name = String::from_utf8(guest.read(name, name_len)?);
    let name =
        name.map_err(|error| Error::new(format!("failed to define a metric: its name is not UTF-8: {error}")))?;
    let kind = match kind {
        0 => Metric::Counter,
        1 => Metric::Gauge,
        _ => return Err(Error::new(format!("unexpected host call env.proxy_define_metric of kind {kind}"))),
    };
    let state = guest.state();
    state.process.with_metric(&(kind, name.clone()), |_| ());
    state.metrics.push((kind, name));
    let id = u32::try_from(state.metrics.len()).unwrap_or(u32::MAX);
    guest.write_u32(id_out, id)?;
    Ok(OK)
}

fn increment_metric(caller: Caller<'_, State>, id: u32, offset: i64) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let state = guest.state();
    match metric(state, id) {
        // A counter only goes up, and not by zero either.
        Some((Metric::Counter, _)) if offset <= 0 => return Ok(BAD_ARGUMENT),
        Some(metric) => state.process.with_metric(metric, |value| *value = value.wrapping_add_signed(offset)),
        None => return Ok(NOT_FOUND),
    }
    Ok(OK)
}

fn record_metric(caller: Caller<'_, State>, id: u32, recorded: u64) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let state = guest.state();
    let Some(metric) = metric(state, id) else { return Ok(NOT_FOUND) };
    state.process.with_metric(metric, |value| match metric.0 {
        Metric::Counter => *value = value.wrapping_add(recorded),
        Metric::Gauge => *value = recorded,
    });
    Ok(OK)
}

/// Ids count from one.
fn metric(state: &State, id: u32) -> Option<&(Metric, String)> {
    state.metrics.get((id as usize).checked_sub(1)?)
}
