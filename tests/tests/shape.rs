//! What a release module is made of, whatever it decides.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use traffic_lanes_tests::module as path_of;
use wasmi::{Engine, ExternType, Module};

/// What each may weigh: a configuration that says what is wrong with it is most of it.
const LIMIT: usize = 330 * 1024;

const MODULES: [&str; 4] =
    ["baggage_propagation.wasm", "hash_tagging.wasm", "hash_tagging_cookie.wasm", "trace_propagation.wasm"];

/// The one that is called for responses too.
const RESPONDS: &str = "hash_tagging_cookie.wasm";

fn bytes(name: &str) -> Vec<u8> {
    fs::read(path_of(name).unwrap()).unwrap()
}

#[test]
fn a_module_is_small() {
    for name in MODULES {
        let size = bytes(name).len();
        assert!(size <= LIMIT, "{name} has {size} bytes, which is more than {LIMIT}");
    }
}

/// The host calls every callback that is exported, for each stream.
#[test]
fn a_module_exports_what_it_implements_and_nothing_else() {
    for name in MODULES {
        let module = Module::new(&Engine::default(), bytes(name)).unwrap();
        let functions = module.exports().filter(|export| matches!(export.ty(), ExternType::Func(_)));
        let mut functions: Vec<String> = functions.map(|export| export.name().to_owned()).collect();
        functions.sort();

        let callbacks = ["configure", "context_create", "delete", "memory_allocate", "request_headers"];
        let callbacks = callbacks.into_iter().chain((name == RESPONDS).then_some("response_headers")).chain(["tick"]);
        let expected: Vec<String> = ["_initialize", "proxy_abi_version_0_2_1"]
            .map(str::to_owned)
            .into_iter()
            .chain(callbacks.map(|callback| format!("proxy_on_{callback}")))
            .collect();
        assert_eq!(functions, expected, "{name}");
    }
}

/// Of WASI only what Rust's standard library brings along, which every host of Proxy-Wasm has.
#[test]
fn a_module_imports_the_abi_and_no_files() {
    const WASI: [&str; 6] =
        ["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];
    for name in MODULES {
        let module = Module::new(&Engine::default(), bytes(name)).unwrap();
        for import in module.imports() {
            let is_known = match import.module() {
                "env" => import.name().starts_with("proxy_"),
                "wasi_snapshot_preview1" => WASI.contains(&import.name()),
                _ => false,
            };
            assert!(is_known, "{name}: {}.{}", import.module(), import.name());
        }
    }
}
