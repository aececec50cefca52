//! What is left of a module when only those callbacks are exported that its filter needs.
//!
//! The SDK exports every callback there is, and the host calls for each stream whatever is exported: a tenth of what a
//! request costs.

use anyhow::{Context, Result};
use walrus::{Module, passes};

/// What all filters implement, and what the SDK needs to know: when a context begins and when it ends.
const CALLBACKS: [&str; 6] = [
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_tick",
];

/// The module without the callbacks that are neither these nor among `more`, and without what only they reach.
pub(crate) fn slim(module: &[u8], more: &[&str]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(module).context("failed to read the module")?;
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| export.name.starts_with("proxy_on_"))
        .filter(|export| !CALLBACKS.iter().chain(more).any(|callback| export.name == *callback))
        .map(|export| export.id())
        .collect();
    unused.into_iter().for_each(|export| module.exports.delete(export));
    passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_implemented_is_exported() {
        let module = wat::parse_str(
            r#"(module
                (func $body)
                (func (export "_initialize"))
                (func (export "proxy_abi_version_0_2_1"))
                (func (export "proxy_on_delete") (param i32))
                (func (export "proxy_on_request_body") (call $body))
                (func (export "proxy_on_response_headers")))"#,
        );

        let slim = Module::from_buffer(&slim(&module.unwrap(), &["proxy_on_response_headers"]).unwrap()).unwrap();

        let exports: Vec<&str> = slim.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports, ["_initialize", "proxy_abi_version_0_2_1", "proxy_on_delete", "proxy_on_response_headers"]);
        assert_eq!(slim.funcs.iter().count(), 4);
    }
}
