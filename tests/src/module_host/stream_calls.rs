//! The host calls about one stream: headers and properties.

use wasmi::{Caller, Error, Linker, errors::LinkerError};

use super::{
    context::State,
    guest::{Answer, BAD_ARGUMENT, Guest, NOT_FOUND, OK},
    headers::HeaderMap,
};

/// Defines the functions in the linker.
pub(super) fn link(linker: &mut Linker<State>) -> Result<(), LinkerError> {
    linker.func_wrap("env", "proxy_get_header_map_value", get_header_map_value)?;
    linker.func_wrap("env", "proxy_get_header_map_pairs", get_header_map_pairs)?;
    linker.func_wrap("env", "proxy_replace_header_map_value", replace_header_map_value)?;
    linker.func_wrap("env", "proxy_remove_header_map_value", remove_header_map_value)?;
    linker.func_wrap("env", "proxy_get_property", get_property)?;
    Ok(())
}

fn get_header_map_value(
    caller: Caller<'_, State>,
    map: u32,
    name: u32,
    name_len: u32,
    data_out: u32,
    len_out: u32,
) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let name = guest.read(name, name_len)?;
    let value = match guest.state().readable_map(map) {
        Ok(map) => map.first(&name).map(<[u8]>::to_vec),
        Err(status) => return Ok(status),
    };
    value.map_or(Ok(NOT_FOUND), |value| guest.give(&value, data_out, len_out))
}

/// A map that is not there has no pairs, which is not an error (Envoy, `Context::getHeaderMapPairs`).
fn get_header_map_pairs(caller: Caller<'_, State>, map: u32, data_out: u32, len_out: u32) -> Answer {
    const LAST_MAP: u32 = 7;
    let mut guest = Guest::enter(caller)?;
    if map > LAST_MAP {
        return Ok(BAD_ARGUMENT);
    }
    let map = guest.state().readable_map(map).ok().filter(|map| !map.lines().is_empty());
    let pairs = map.map(|map| map.to_pairs()).unwrap_or_default();
    guest.give(&pairs, data_out, len_out)
}

fn replace_header_map_value(
    caller: Caller<'_, State>,
    map: u32,
    name: u32,
    name_len: u32,
    value: u32,
    value_len: u32,
) -> Answer {
    let guest = Guest::enter(caller)?;
    let (name, value) = (guest.read(name, name_len)?, guest.read(value, value_len)?);
    edit(guest, map, |map| map.replace(&name, &value))
}

fn remove_header_map_value(caller: Caller<'_, State>, map: u32, name: u32, name_len: u32) -> Answer {
    let guest = Guest::enter(caller)?;
    let name = guest.read(name, name_len)?;
    edit(guest, map, |map| {
        map.remove(&name);
        Ok(())
    })
}

fn edit(mut guest: Guest<'_>, map: u32, change: impl FnOnce(&mut HeaderMap) -> Result<(), Error>) -> Answer {
    match guest.state().writable_map(map) {
        Ok(map) => change(map).map(|()| OK),
        Err(status) => Ok(status),
    }
}

fn get_property(caller: Caller<'_, State>, path: u32, path_len: u32, data_out: u32, len_out: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let path = guest.read(path, path_len)?;
    let value = guest.state().property(&path);
    value.map_or(Ok(NOT_FOUND), |value| guest.give(&value, data_out, len_out))
}
