//! The host calls about one stream: headers, properties, the route cache, local responses, contexts.

use wasmi::{Caller, Error, Linker, errors::LinkerError};

use super::{
    LocalResponse,
    context::State,
    guest::{Answer, BAD_ARGUMENT, Guest, NOT_FOUND, OK},
    headers::HeaderMap,
};

/// Defines the functions in the linker.
pub(super) fn link(linker: &mut Linker<State>) -> Result<(), LinkerError> {
    linker.func_wrap("env", "proxy_get_header_map_value", get_header_map_value)?;
    linker.func_wrap("env", "proxy_get_header_map_pairs", get_header_map_pairs)?;
    linker.func_wrap("env", "proxy_set_header_map_pairs", set_header_map_pairs)?;
    linker.func_wrap("env", "proxy_add_header_map_value", add_header_map_value)?;
    linker.func_wrap("env", "proxy_replace_header_map_value", replace_header_map_value)?;
    linker.func_wrap("env", "proxy_remove_header_map_value", remove_header_map_value)?;
    linker.func_wrap("env", "proxy_get_property", get_property)?;
    linker.func_wrap("env", "proxy_set_property", set_property)?;
    linker.func_wrap("env", "proxy_call_foreign_function", call_foreign_function)?;
    linker.func_wrap("env", "proxy_send_local_response", send_local_response)?;
    linker.func_wrap("env", "proxy_set_effective_context", set_effective_context)?;
    linker.func_wrap("env", "proxy_done", done)?;
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
    let pairs = match guest.state().readable_map(map) {
        Ok(map) if !map.lines().is_empty() => map.to_pairs(),
        _ => Vec::new(),
    };
    guest.give(&pairs, data_out, len_out)
}

fn set_header_map_pairs(caller: Caller<'_, State>, map: u32, pairs: u32, pairs_len: u32) -> Answer {
    let guest = Guest::enter(caller)?;
    let pairs = HeaderMap::from_pairs(&guest.read(pairs, pairs_len)?)?;
    edit(guest, map, |map| {
        *map = pairs;
        Ok(())
    })
}

fn add_header_map_value(
    caller: Caller<'_, State>,
    map: u32,
    name: u32,
    name_len: u32,
    value: u32,
    value_len: u32,
) -> Answer {
    let guest = Guest::enter(caller)?;
    let (name, value) = (guest.read(name, name_len)?, guest.read(value, value_len)?);
    edit(guest, map, |map| map.add(&name, &value))
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

/// Stores a property of the stream; outside of a stream there is no place for it (Envoy, `Context::setProperty`).
fn set_property(caller: Caller<'_, State>, path: u32, path_len: u32, value: u32, value_len: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let (path, value) = (guest.read(path, path_len)?, guest.read(value, value_len)?);
    let Some(http) = guest.state().active_http() else { return Ok(NOT_FOUND) };
    http.properties.insert(path, value);
    Ok(OK)
}

fn call_foreign_function(
    caller: Caller<'_, State>,
    name: u32,
    name_len: u32,
    _arguments: u32,
    _arguments_len: u32,
    data_out: u32,
    len_out: u32,
) -> Answer {
    let mut guest = Guest::enter(caller)?;
    if guest.read(name, name_len)? != b"clear_route_cache" {
        return Ok(NOT_FOUND);
    }
    if let Some(http) = guest.state().active_http() {
        http.route_cache_cleared = true;
    }
    guest.give(&[], data_out, len_out)
}

#[expect(clippy::too_many_arguments, reason = "the signature is the ABI's")]
fn send_local_response(
    caller: Caller<'_, State>,
    status: u32,
    _details: u32,
    _details_len: u32,
    body: u32,
    body_len: u32,
    headers: u32,
    headers_len: u32,
    _grpc_status: i32,
) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let body = guest.read(body, body_len)?;
    let headers = HeaderMap::from_pairs(&guest.read(headers, headers_len)?)?.lines().to_vec();
    let http = guest.state().active_http();
    let http = http.ok_or_else(|| Error::new("env.proxy_send_local_response was called outside of a stream"))?;
    http.local_response = Some(LocalResponse { status, headers, body });
    http.stopped = true;
    Ok(OK)
}

fn set_effective_context(caller: Caller<'_, State>, id: u32) -> Answer {
    let mut guest = Guest::enter(caller)?;
    let set = guest.state().set_effective(id);
    Ok(if set { OK } else { BAD_ARGUMENT })
}

/// Ends a plugin context whose `proxy_on_done` asked for time. This host never ends one, so there is none to find.
fn done(caller: Caller<'_, State>) -> Answer {
    Guest::enter(caller)?;
    Ok(NOT_FOUND)
}
