//! What the bench takes for the least that a module can do, `crates/bench/modules/floor.wat`, does decide as hash-tagging does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::iter;

use hash_tagging::Tagger;
use header_edit::HeaderList;
use traffic_lanes_tests::module_host::{Module, Plugin, Process, Vm};

const RULE: &str = r#"{"rules": [{"header": "x-user-id", "modulo": 100, "tagHeader": "x-asm-prefer-tag",
    "policies": [{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}]}]}"#;

fn floor() -> Module {
    let text = include_str!("../../crates/bench/modules/floor.wat");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), wat::parse_str(text).unwrap()).unwrap();
    Module::load(file.path()).unwrap()
}

/// What goes on through the module.
fn passed(vm: &mut Vm, plugin: Plugin, request: &HeaderList) -> HeaderList {
    let lines = request.lines().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())).collect();
    let stream = vm.request(plugin, lines, true).unwrap();
    let headers = stream.headers.clone();
    vm.finish(stream).unwrap();
    headers.into_iter().map(|(name, value)| (String::from_utf8(name).unwrap(), value)).collect()
}

fn decided(request: &HeaderList) -> HeaderList {
    let tagger = Tagger::parse(RULE.as_bytes()).unwrap();
    let mut headers = request.clone();
    headers.apply(tagger.on_request(request).edits);
    headers
}

#[test]
fn the_floor_decides_as_hash_tagging_does() {
    let process = Process::new();
    let mut vm = Vm::start(&floor(), &process).unwrap();
    let plugin = vm.configure("floor", b"").unwrap();
    let mut tags = [0, 0];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..1000 {
        let length = random.usize(..80);
        let user: Vec<u8> = iter::repeat_with(|| random.u8(..)).take(length).collect();
        let request: HeaderList = [("x-user-id", user)].into_iter().collect();
        let expected = decided(&request);
        assert_eq!(passed(&mut vm, plugin, &request), expected);
        for (tag, count) in [b"s1", b"s2"].into_iter().zip(&mut tags) {
            *count += usize::from(expected.all("x-asm-prefer-tag").any(|value| value == tag));
        }
    }
    assert!(tags.iter().all(|count| *count > 100), "{tags:?}");
}

#[test]
fn a_request_without_a_user_stays_as_it_is() {
    let process = Process::new();
    let mut vm = Vm::start(&floor(), &process).unwrap();
    let plugin = vm.configure("floor", b"").unwrap();
    for request in [vec![], vec![("x-user-id", "")], vec![("x-user", "jessie")]] {
        let request: HeaderList = request.into_iter().collect();
        assert_eq!(passed(&mut vm, plugin, &request), request);
    }
}
