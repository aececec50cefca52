//! Several plug-ins in one VM, as a worker runs those of one module: each decides by its own configuration, and what one
//! leaves behind when it ends is let go.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use traffic_lanes_tests::{
    filter::Filter,
    module_host::{Header, Module, Plugin, Process, Vm},
};

/// A filter, and its configuration by which every request gets the same value in the header of this name.
type Subject = (Filter, fn(&str) -> String);

const SUBJECTS: [Subject; 2] = [
    (Filter::HashTagging, |header| {
        format!(
            r#"{{"rules": [{{"header": "x-user-id", "modulo": 1, "tagHeader": "{header}",
                "policies": [{{"range": 1, "tagValue": "s2"}}]}}]}}"#
        )
    }),
    (Filter::BaggagePropagation, |header| {
        format!(r#"{{"direction": "outbound", "members": [{{"key": "lane", "header": "{header}"}}]}}"#)
    }),
];
const REFUSED: &str = "no JSON";

/// A worker whose plug-ins share a VM.
struct Worker {
    vm: Vm,
    process: Process,
    configuration: fn(&str) -> String,
}

impl Worker {
    fn start((filter, configuration): Subject) -> Self {
        let process = Process::new();
        let vm = Vm::start(&Module::load(&filter.module().unwrap()).unwrap(), &process).unwrap();
        Self { vm, process, configuration }
    }

    /// A new plug-in, which writes `header`.
    fn plugin(&mut self, name: &str, header: &str) -> Plugin {
        self.vm.configure(name, (self.configuration)(header).as_bytes()).unwrap()
    }

    /// A new plug-in, or an update, whose configuration is refused.
    fn refused(&mut self, name: &str) -> Plugin {
        self.vm.configure(name, REFUSED.as_bytes()).unwrap()
    }

    /// The header that the plug-in writes into a request, or none if it leaves the request untouched.
    fn written(&mut self, plugin: Plugin) -> Option<String> {
        let request: [Header; 2] =
            [("x-user-id", "jason"), ("baggage", "lane=s2")].map(|(name, value)| (name.into(), value.into()));
        let stream = self.vm.request(plugin, request.to_vec(), true).unwrap();
        let written = match stream.headers.strip_prefix(&request) {
            Some([]) => None,
            Some([(name, value)]) if value == b"s2" => Some(String::from_utf8(name.clone()).unwrap()),
            _ => panic!("more than one header is different: {stream:?}"),
        };
        self.vm.finish(stream).unwrap();
        written
    }

    /// The header that it writes into a request that comes to this port.
    fn written_at(&mut self, port: i64, plugin: Plugin) -> Option<String> {
        self.vm.set_property(&["destination", "port"], &port.to_le_bytes());
        self.written(plugin)
    }

    /// What the host knows of the requests that were counted.
    fn counted(&self) -> u64 {
        self.process.counted()
    }
}

#[test]
fn each_plug_in_decides_by_its_own_configuration() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let plugins = [
            (worker.plugin("lanes", "x-first"), Some("x-first")),
            (worker.plugin("lanes", "x-same-name"), Some("x-same-name")),
            (worker.refused("refused"), None),
            (worker.plugin("other", "x-other"), Some("x-other")),
        ];
        // Each after each, itself included.
        for pair in plugins.iter().flat_map(|first| plugins.iter().map(move |second| [first, second])) {
            for (plugin, header) in pair {
                assert_eq!(worker.written(*plugin).as_deref(), *header, "{:?}: {pair:?}", subject.0);
                worker.vm.tick(*plugin).unwrap();
            }
        }
    }
}

/// As of one ECDS resource that two listeners have: only requests say where it serves.
#[test]
fn a_plug_in_of_two_listeners_goes_on_serving_at_both_after_a_bad_update() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let old = worker.plugin("lanes", "x-old");
        for port in [80, 443] {
            worker.written_at(port, old).unwrap();
        }
        let shared = worker.plugin("lanes", "x-shared");
        worker.vm.end(old).unwrap();
        for port in [80, 443] {
            worker.written_at(port, shared).unwrap();
        }
        let update = worker.refused("lanes");
        worker.vm.end(shared).unwrap();
        let served = [80, 443].map(|port| worker.written_at(port, update));
        assert_eq!(served, ["x-shared", "x-shared"].map(|header| Some(header.to_owned())), "{:?}", subject.0);
    }
}

#[test]
fn what_served_at_a_port_goes_on_serving_there_after_a_bad_update() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let (first, second) = (worker.plugin("lanes", "x-first"), worker.plugin("lanes", "x-second"));
        worker.written_at(80, first).unwrap();
        worker.written_at(443, second).unwrap();
        let update = worker.refused("lanes");
        let served = [80, 443, 8080].map(|port| worker.written_at(port, update));
        assert_eq!(served, [Some("x-first".to_owned()), Some("x-second".to_owned()), None], "{:?}", subject.0);
        let next = worker.refused("lanes");
        worker.vm.end(update).unwrap();
        assert_eq!(worker.written_at(80, next).as_deref(), Some("x-first"), "{:?}: a second bad update", subject.0);
    }
}

/// A good update and a bad one may come so close that no request sees the good one.
#[test]
fn what_replaced_what_served_goes_on_serving_after_a_bad_update() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let served = worker.plugin("lanes", "x-served");
        worker.written_at(80, served).unwrap();
        let elsewhere = worker.plugin("lanes", "x-elsewhere");
        worker.written_at(443, elsewhere).unwrap();
        let idle = worker.plugin("lanes", "x-idle");
        worker.vm.end(served).unwrap();
        let update = worker.refused("lanes");
        worker.vm.end(idle).unwrap();
        let served = [80, 443].map(|port| worker.written_at(port, update));
        assert_eq!(served, ["x-idle", "x-elsewhere"].map(|header| Some(header.to_owned())), "{:?}", subject.0);
    }
}

/// Envoy goes back to a context that drains, without a word to it, when its very configuration returns.
#[test]
fn what_was_rolled_back_to_goes_on_serving() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let (first, second) = (worker.plugin("lanes", "x-first"), worker.plugin("lanes", "x-second"));
        for plugin in [first, second, first] {
            worker.vm.tick(first).unwrap();
            worker.written(plugin).unwrap();
        }
        let update = worker.refused("lanes");
        assert_eq!(worker.written(update).as_deref(), Some("x-first"), "{:?}", subject.0);
    }
}

/// A listener that drains serves the connections that it has, and accepts none.
#[test]
fn a_connection_that_is_older_does_not_say_what_serves() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let (first, second) = (worker.plugin("lanes", "x-first"), worker.plugin("lanes", "x-second"));
        for (connection, plugin) in [(7_u64, first), (9, second), (7, first)] {
            worker.vm.set_property(&["connection", "id"], &connection.to_le_bytes());
            worker.written(plugin).unwrap();
        }
        let update = worker.refused("lanes");
        assert_eq!(worker.written(update).as_deref(), Some("x-second"), "{:?}", subject.0);
    }
}

#[test]
fn a_plug_in_that_has_ended_does_not_come_back() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let ended = worker.plugin("lanes", "x-ended");
        worker.written(ended).unwrap();
        worker.vm.end(ended).unwrap();
        let update = worker.refused("lanes");
        assert_eq!(worker.written(update), None, "{:?}", subject.0);
    }
}

#[test]
fn what_a_plug_in_counted_goes_to_the_host_when_it_ends() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let plugin = worker.plugin("lanes", "x-counted");
        for _ in 0..3 {
            worker.written(plugin).unwrap();
        }
        assert_eq!(worker.counted(), 0, "{:?}: before it ends", subject.0);
        worker.vm.end(plugin).unwrap();
        assert_eq!(worker.counted(), 3, "{:?}", subject.0);
    }
}
