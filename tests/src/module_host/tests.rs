//! What the host promises, on modules small enough to read.

use super::*;

#[test]
fn an_unknown_host_call_is_refused_by_name_once_it_is_made() {
    let module = module(
        r#"(import "env" "proxy_frobnicate" (func $frobnicate (param i64) (result f32)))"#,
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $frobnicate (i64.const 1))) (i32.const 0))"#,
    );
    let error = start(&module).request(&[]).unwrap_err();
    assert!(error.contains("proxy_on_request_headers failed: unexpected host call env.proxy_frobnicate"), "{error}");
}

#[test]
fn a_trap_kills_the_vm_and_quotes_its_log() {
    let module = module(
        r#"(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))"#,
        r#"(data (i32.const 0) "famous last words")
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $log (i32.const 5) (i32.const 0) (i32.const 17))) unreachable)"#,
    );
    let mut host = start(&module);
    let error = host.request(&[]).unwrap_err();
    assert!(error.contains("`unreachable`") && error.contains("critical: famous last words"), "{error}");
    assert_eq!(host.process.log(), [(Level::Critical, "famous last words".to_owned())]);
    assert!(host.request(&[]).unwrap_err().contains("the vm is dead"));
    assert!(host.vm.configure("other", b"").is_err());
}

#[test]
fn an_endless_loop_ends() {
    let module = module(
        "",
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (loop (br 0)) unreachable)"#,
    );
    assert!(start(&module).request(&[]).unwrap_err().contains("fuel"));
}

#[test]
fn callbacks_that_are_not_exported_are_skipped() {
    let mut host = start(&module("", ""));
    let stream = host.request(&[("A", "1"), ("a", "2")]).unwrap();
    assert_eq!(stream.headers, headers(&[("a", "1"), ("a", "2")]), "names are lowered, lines are kept");
    assert!(!stream.route_cache_cleared);
    host.vm.finish(stream.clone()).unwrap();
    assert!(host.vm.finish(stream).is_err(), "the stream is gone");
}

#[test]
fn a_refused_configuration_gets_no_requests() {
    let refuses = module(
        "",
        r#"(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.eq (local.get 1) (i32.const 4)))"#,
    );
    let mut vm = Vm::start(&refuses, &Process::new()).unwrap();
    let plugin = vm.configure("plugin", b"bad").unwrap();
    assert!(!plugin.accepted);
    assert!(vm.request(plugin, Vec::new(), true).is_err());
    assert!(vm.configure("plugin", b"good").unwrap().accepted);

    let never_starts = module("", r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 0))"#);
    let error = Vm::start(&never_starts, &Process::new()).unwrap().configure("plugin", b"").unwrap_err();
    assert!(error.to_string().contains("proxy_on_vm_start returned false"), "{error}");
}

#[test]
fn a_getter_sees_the_first_of_repeated_lines_and_a_setter_clears_the_route_cache() {
    let module = module(
        HEADER_CALLS,
        r#"(data (i32.const 0) "in") (data (i32.const 8) "out")
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
             (drop (call $get (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 16) (i32.const 20)))
             (call $set (i32.const 0) (i32.const 8) (i32.const 3) (i32.load (i32.const 16)) (i32.load (i32.const 20))))"#,
    );
    let request = vec![(b"in".to_vec(), b"\xff1".to_vec()), (b"in".to_vec(), b"2".to_vec())];
    let mut host = start(&module);
    let stream = host.vm.request(host.plugin, request, true).unwrap();
    assert_eq!(stream.headers.last().unwrap(), &(b"out".to_vec(), b"\xff1".to_vec()));
    assert!(stream.route_cache_cleared);
}

#[test]
fn request_headers_are_out_of_reach_once_the_request_went_on() {
    let module = module(
        HEADER_CALLS,
        r#"(data (i32.const 0) "in")
           (func $expect (param $status i32)
             (if (i32.ne (local.get $status)
                         (call $get (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 16) (i32.const 20)))
               (then unreachable)))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $expect (i32.const 0)) (i32.const 0))
           (func (export "proxy_on_delete") (param i32) (call $expect (i32.const 2)))"#,
    );
    let mut host = start(&module);
    let stream = host.request(&[("in", "")]).unwrap();
    host.vm.finish(stream).unwrap();
}

#[test]
fn a_request_that_is_held_up_is_an_error() {
    let module =
        module("", r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))"#);
    let error = start(&module).request(&[]).unwrap_err();
    assert!(error.contains("the filter holds the request up"), "{error}");
}

#[test]
fn the_listener_direction_is_known_to_streams_only() {
    let module = module(
        r#"(import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))"#,
        r#"(data (i32.const 0) "xds\00listener_direction")
           (func $direction (result i32) (call $get (i32.const 0) (i32.const 22) (i32.const 32) (i32.const 36)))
           (func (export "proxy_on_configure") (param i32 i32) (result i32) (call $direction))
           (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $direction))"#,
    );
    let mut vm = Vm::start(&module, &Process::new()).unwrap();
    vm.set_property(&["xds", "listener_direction"], &2_u64.to_le_bytes());
    let plugin = vm.configure("plugin", b"").unwrap();
    assert!(plugin.accepted, "not found is 1, which is true");
    assert!(vm.request(plugin, Vec::new(), true).is_ok(), "found is 0, which is Continue");
}

#[test]
fn metrics_and_ticks_work_and_vms_share_their_process() {
    let module = module(
        r#"(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
           (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
           (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))"#,
        r#"(data (i32.const 0) "ticks")
           (func (export "proxy_on_configure") (param i32 i32) (result i32)
             (drop (call $define (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 16)))
             (drop (call $define (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 16)))
             (i32.eqz (call $period (local.get 1))))
           (func (export "proxy_on_tick") (param i32)
             (drop (call $increment (i32.load (i32.const 16)) (i64.const 3))))"#,
    );
    let process = Process::new();
    for expected in [3, 6] {
        let mut vm = Vm::start(&module, &process).unwrap();
        let plugin = vm.configure("ticking", b"12").unwrap();
        assert_eq!(vm.tick_period(plugin).unwrap(), Some(std::time::Duration::from_millis(2)));
        vm.tick(plugin).unwrap();
        assert_eq!(process.counter("ticks"), Some(expected));
    }
    let mut vm = Vm::start(&module, &process).unwrap();
    let plugin = vm.configure("still", b"").unwrap();
    assert!(vm.tick(plugin).is_err(), "a period of zero is none");
    assert_eq!(process.counter("other"), None);
}

#[test]
fn a_module_that_initializes_may_not_use_the_host() {
    let module = module(
        r#"(import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))"#,
        r#"(func (export "_initialize") (drop (call $period (i32.const 1))))"#,
    );
    let error = Vm::start(&module, &Process::new()).unwrap_err().to_string();
    assert!(error.contains("_initialize failed: a module may only log"), "{error}");
}

#[test]
fn what_envoy_would_not_load_is_refused() {
    for (wasm, missing) in [("(module)", "proxy_abi_version_0_2_1"), ("no module", "expected")] {
        let error = format!("{:#}", Module::compile(wasm.as_bytes()).unwrap_err());
        assert!(error.contains(missing), "{error}");
    }
    let error = Module::load(Path::new("no-such.wasm")).unwrap_err().to_string();
    assert_eq!(error, "failed to read no-such.wasm");
}

const HEADER_CALLS: &str = r#"
    (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_replace_header_map_value" (func $set (param i32 i32 i32 i32 i32) (result i32)))"#;

/// A module with everything that Envoy requires. Its allocator always gives the same address.
fn module(imports: &str, body: &str) -> Module {
    let wat = format!(
        r#"(module {imports}
             (memory (export "memory") 1)
             (func (export "proxy_abi_version_0_2_1"))
             (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
             {body})"#
    );
    Module::compile(wat.as_bytes()).unwrap()
}

struct Host {
    process: Process,
    vm: Vm,
    plugin: Plugin,
}

fn start(module: &Module) -> Host {
    let process = Process::new();
    let mut vm = Vm::start(module, &process).unwrap();
    let plugin = vm.configure("plugin", b"").unwrap();
    Host { process, vm, plugin }
}

impl Host {
    fn request(&mut self, lines: &[(&str, &str)]) -> Result<Stream, String> {
        self.vm.request(self.plugin, headers(lines), true).map_err(|error| format!("{error:#}"))
    }
}

fn headers(lines: &[(&str, &str)]) -> Vec<Header> {
    lines.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}
