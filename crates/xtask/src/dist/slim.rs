//! What is left of a module when nothing is in it for a panic to say.
//!
//! The filters do not panic, which their lints and tests hold; a bug that did would end the VM, and the host's log would
//! name the callback. But behind every check of the standard library stands code that writes a message, for a standard
//! error that a proxy does not have: a twelfth of a module.

use anyhow::{Context, Result, ensure};
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module, ModuleConfig, passes};

/// Where messages begin to be written. Without a name among these, the standard library is another than is known here.
const WRITERS: [&str; 3] =
    ["core::panicking::panic_fmt", "core::panicking::assert_failed_inner", "alloc::alloc::handle_alloc_error"];

/// The module without names and other custom sections, and without messages: a panic is a trap at once.
pub(crate) fn slim(module: &[u8]) -> Result<Vec<u8>> {
    let mut module = ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(module)
        .context("failed to read the module")?;
    let writers: Vec<FunctionId> = module
        .funcs
        .iter()
        .filter(|function| is_writer(function.name.as_deref()))
        .map(|function| function.id())
        .collect();
    ensure!(!writers.is_empty(), "the module has none of {}: was it stripped of names?", WRITERS.join(", "));
    for writer in writers {
        trap(&mut module, writer);
    }
    for custom in module.customs.iter().map(|(id, _)| id).collect::<Vec<_>>() {
        module.customs.delete(custom);
    }
    passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

fn is_writer(name: Option<&str>) -> bool {
    // The alternate form leaves out the hash of the crate.
    name.is_some_and(|name| WRITERS.contains(&format!("{:#}", rustc_demangle::demangle(name)).as_str()))
}

/// Replaces the body of a function.
fn trap(module: &mut Module, function: FunctionId) {
    let (params, results) = module.types.params_results(module.funcs.get(function).ty());
    let (params, results) = (params.to_vec(), results.to_vec());
    let arguments = params.iter().map(|kind| module.locals.add(*kind)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    builder.func_body().unreachable();
    let body = builder.local_func(arguments);
    module.funcs.get_mut(function).kind = FunctionKind::Local(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"(module
        (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
        (func $write (drop (call $log (i32.const 0) (i32.const 0) (i32.const 0))))
        (func $_ZN4core9panicking9panic_fmt17h0123456789abcdefE (param i32 i32) (call $write))
        (func (export "proxy_on_tick") (param i32)
            (call $_ZN4core9panicking9panic_fmt17h0123456789abcdefE (i32.const 0) (i32.const 0)))
        (@custom "producers" "x"))"#;

    #[test]
    fn what_only_a_panic_reaches_is_gone() {
        let module = wat::parse_str(MODULE).unwrap();

        let slim = Module::from_buffer(&slim(&module).unwrap()).unwrap();

        assert_eq!((slim.funcs.iter().count(), slim.imports.iter().count(), slim.customs.iter().count()), (2, 0, 0));
        assert!(slim.exports.get_func("proxy_on_tick").is_ok());
    }

    #[test]
    fn a_module_without_names_is_refused() {
        let error = slim(b"\0asm\x01\0\0\0").unwrap_err().to_string();

        assert!(error.contains("none of core::panicking::panic_fmt"), "{error}");
    }
}
