//! How often a module calls its host about a request. A call is what a request pays for, so each must be worth it: one to
//! read a header, one to write it, none to write what is there already.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{iter, path::Path};

use traffic_lanes_tests::{
    filter::Filter,
    module,
    module_host::{Header, Module, Process, Vm},
};

/// `envoy.config.core.v3.TrafficDirection`, as `xds.listener_direction` has it.
const INBOUND: i64 = 1;
const OUTBOUND: i64 = 2;

const ID: (&str, &str) = ("x-request-id", "one");
const OTHER_ID: (&str, &str) = ("x-request-id", "two");
const TAG: (&str, &str) = ("x-asm-prefer-tag", "s2");
const USER: (&str, &str) = ("x-user-id", "jessie");
const MEMBER: (&str, &str) = ("baggage", "tenant=7,lane=s2");

/// A module with one plug-in.
struct Worker {
    vm: Vm,
    plugin: traffic_lanes_tests::module_host::Plugin,
}

impl Worker {
    fn start(filter: Filter, configuration: &str) -> Self {
        Self::of(&filter.module().unwrap(), &Process::new(), configuration)
    }

    fn of(module: &Path, process: &Process, configuration: &str) -> Self {
        let mut vm = Vm::start(&Module::load(module).unwrap(), process).unwrap();
        let plugin = vm.configure("lanes", configuration.as_bytes()).unwrap();
        let mut worker = Self { vm, plugin };
        // The first of every second are remembered: which configuration serves where.
        for _ in 0..16 {
            worker.calls(0, &[]);
        }
        worker
    }

    /// How many calls a request of these headers makes.
    fn calls(&mut self, direction: i64, headers: &[(&str, &str)]) -> u64 {
        self.vm.set_property(&["xds", "listener_direction"], &direction.to_le_bytes());
        let headers: Vec<Header> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let before = self.vm.host_calls();
        let stream = self.vm.request(self.plugin, headers, true).unwrap();
        let calls = self.vm.host_calls() - before;
        self.vm.finish(stream).unwrap();
        calls
    }
}

fn rules(number: usize, incoming: &str) -> String {
    let rule = format!(
        r#"{{"header": "x-user-id", "modulo": 100, "tagHeader": "x-asm-prefer-tag", "incoming": "{incoming}",
            "policies": [{{"from": 16, "range": 17, "tagValue": "s2"}}]}}"#
    );
    format!(r#"{{"rules": [{}]}}"#, iter::repeat_n(rule, number).collect::<Vec<_>>().join(","))
}

#[test]
fn hash_tagging_reads_once_and_writes_once() {
    for number in [1, 100] {
        let mut worker = Worker::start(Filter::HashTagging, &rules(number, "replace"));
        assert_eq!(worker.calls(OUTBOUND, &[USER]), 2, "the user, the tag: {number} rules");
        assert_eq!(worker.calls(OUTBOUND, &[]), 1, "no user: {number} rules");
        assert_eq!(worker.calls(OUTBOUND, &[("x-user-id", "bob")]), 1, "a user without a tag: {number} rules");
    }
    let mut worker = Worker::start(Filter::HashTagging, &rules(1, "keep"));
    assert_eq!(worker.calls(OUTBOUND, &[USER, TAG]), 1, "the tag that came along");

    let switch = |number| rules(number, "replace").replacen('{', r#"{"clients": "mayNot", "#, 1);
    for number in [1, 100] {
        let mut worker = Worker::start(Filter::HashTagging, &switch(number));
        assert_eq!(worker.calls(OUTBOUND, &[USER, TAG]), 2, "a tag of its own replaces the client's: {number} rules");
        assert_eq!(worker.calls(OUTBOUND, &[]), 2, "no user, no tag: {number} rules");
        assert_eq!(worker.calls(OUTBOUND, &[TAG]), 3, "no user, and the tag that goes: {number} rules");
    }
}

/// Random bytes come from WASI, whose calls are not counted here.
#[test]
fn an_id_costs_no_header_and_without_randomness_there_is_none() {
    let issuing = rules(1, "replace").replace(
        r#""header": "x-user-id""#,
        r#""identity": [{"header": "x-user-id"}, {"cookie": "uid", "issueMaxAgeSeconds": 60}]"#,
    );
    let issuing = issuing.replace(r#""from": 16, "range": 17"#, r#""range": 100"#);
    let process = Process::new();
    let mut worker = Worker::of(&module("hash_tagging_cookie.wasm").unwrap(), &process, &issuing);
    assert_eq!(worker.calls(OUTBOUND, &[USER]), 2, "the user, the tag");
    assert_eq!(worker.calls(OUTBOUND, &[("cookie", "uid=jessie")]), 3, "no user, the cookie, the tag");
    assert_eq!(worker.calls(OUTBOUND, &[]), 3, "no user, no cookie, the tag");

    process.end_randomness();
    assert_eq!(worker.calls(OUTBOUND, &[]), 2, "no user, no cookie, no id");
    assert_eq!(worker.calls(OUTBOUND, &[USER]), 2, "it goes on");
    worker.vm.tick(worker.plugin).unwrap();
    // With the 16 that come before anything is counted.
    assert_eq!(process.counter("hash_tagging_issued_ids"), Some(17));
    assert_eq!(process.counter("hash_tagging_failed_ids"), Some(1));
}

#[test]
fn baggage_propagation_reads_a_header_and_the_list() {
    let member = r#""members": [{"key": "lane", "header": "x-asm-prefer-tag"}]"#;
    let mut worker = Worker::start(Filter::BaggagePropagation, &format!(r#"{{{member}, "direction": "outbound"}}"#));
    assert_eq!(worker.calls(OUTBOUND, &[MEMBER]), 3, "the list, the header, the header's new value");
    assert_eq!(worker.calls(OUTBOUND, &[MEMBER, TAG]), 2, "the header says it already");
    assert_eq!(worker.calls(OUTBOUND, &[USER]), 1, "no list");

    let mut worker = Worker::start(Filter::BaggagePropagation, &format!("{{{member}}}"));
    assert_eq!(worker.calls(OUTBOUND, &[MEMBER]), 4, "the direction besides");
    assert_eq!(worker.calls(INBOUND, &[MEMBER]), 2, "no header: nothing to carry");
    assert_eq!(worker.calls(INBOUND, &[TAG]), 4, "the direction, the header, no list, a list");
    assert_eq!(worker.calls(INBOUND, &[TAG, ("baggage", "lane=s2")]), 3, "the list says it already");
}

#[test]
fn trace_propagation_reads_the_table_once() {
    let configuration = r#""traceHeader": "x-request-id", "routeHeaders": ["x-asm-prefer-tag"]"#;
    let mut worker = Worker::start(Filter::TracePropagation, &format!("{{{configuration}}}"));
    assert_eq!(worker.calls(INBOUND, &[USER]), 2, "the direction, no id");
    assert_eq!(worker.calls(INBOUND, &[ID]), 7, "the direction, the id, no tag, the time, no seed, a seed, no set");
    assert_eq!(
        worker.calls(INBOUND, &[ID, TAG]),
        6,
        "the direction, the id, the tag, the time, the set, its new value"
    );
    assert_eq!(worker.calls(INBOUND, &[ID, TAG]), 5, "the set has it already");
    assert_eq!(worker.calls(OUTBOUND, &[ID]), 6, "the direction, no tag, the id, the set, the time, the tag's value");
    assert_eq!(worker.calls(OUTBOUND, &[OTHER_ID]), 4, "an id of which nothing is known");
    assert_eq!(worker.calls(OUTBOUND, &[ID, TAG]), 2, "the request has its tag");

    let inbound = format!(r#"{{{configuration}, "direction": "inbound"}}"#);
    let mut worker = Worker::start(Filter::TracePropagation, &inbound);
    worker.calls(OUTBOUND, &[ID]);
    assert_eq!(worker.calls(OUTBOUND, &[ID, TAG]), 5, "a direction that is configured is not asked for");
}
