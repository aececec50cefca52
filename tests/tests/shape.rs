//! What a release module is made of, whatever it decides.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use traffic_lanes_tests::module as path_of;
use wasmi::{Engine, ExternType, Module};

const KIBIBYTE: usize = 1024;

/// With what each may weigh. Hash tagging has three times the configuration of the others, and a message for everything
/// that can be wrong with it.
const MODULES: [(&str, usize); 3] = [
    ("baggage_propagation.wasm", 64 * KIBIBYTE),
    ("hash_tagging.wasm", 96 * KIBIBYTE),
    ("trace_propagation.wasm", 64 * KIBIBYTE),
];

fn bytes(name: &str) -> Vec<u8> {
    fs::read(path_of(name).unwrap()).unwrap()
}

#[test]
fn a_module_is_small() {
    for (name, limit) in MODULES {
        let size = bytes(name).len();
        assert!(size <= limit, "{name} has {size} bytes, which is more than {limit}");
    }
}

/// The host calls every callback that is exported, for each stream.
#[test]
fn a_module_exports_what_it_implements_and_nothing_else() {
    for (name, _) in MODULES {
        let module = Module::new(&Engine::default(), bytes(name)).unwrap();
        let functions = module.exports().filter(|export| matches!(export.ty(), ExternType::Func(_)));
        let mut functions: Vec<String> = functions.map(|export| export.name().to_owned()).collect();
        functions.sort();

        let callbacks = ["configure", "context_create", "memory_allocate", "request_headers", "tick"];
        let expected: Vec<String> = ["proxy_abi_version_0_2_1".to_owned()]
            .into_iter()
            .chain(callbacks.map(|callback| format!("proxy_on_{callback}")))
            .collect();
        assert_eq!(functions, expected, "{name}");
    }
}

/// No WASI: a sandbox that allows nothing but the ABI runs the filters.
#[test]
fn a_module_imports_nothing_but_the_abi() {
    for (name, _) in MODULES {
        let module = Module::new(&Engine::default(), bytes(name)).unwrap();
        for import in module.imports() {
            assert_eq!(
                (import.module(), import.name().starts_with("proxy_")),
                ("env", true),
                "{name}: {}",
                import.name()
            );
        }
    }
}
