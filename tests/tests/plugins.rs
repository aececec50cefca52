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

/// A plug-in is let go that is silent while the timers of the others go off more than so often for each in the VM.
const PERIODS: usize = 60;

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

    /// So many seconds pass in which only these plug-ins have a timer, one after another.
    fn tick(&mut self, plugins: &[Plugin], times: usize) {
        plugins.iter().cycle().take(times).for_each(|plugin| self.vm.tick(*plugin).unwrap());
    }

    /// What the host knows of the requests that were counted.
    fn counted(&self) -> u64 {
        self.process.counters().values().sum()
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
                worker.tick(&[*plugin], 1);
            }
        }
    }
}

#[test]
fn a_context_that_is_configured_again_falls_back_to_what_it_had() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let first = worker.plugin("lanes", "x-first");
        let second = worker.plugin("lanes", "x-second");
        assert!(worker.vm.reconfigure(first, REFUSED.as_bytes()).unwrap());
        assert_eq!([first, second].map(|plugin| worker.written(plugin).unwrap()), ["x-first", "x-second"]);
    }
}

#[test]
fn a_silent_plug_in_is_let_go_and_not_too_early() {
    for (subject, others) in SUBJECTS.iter().flat_map(|subject| [1, 3].map(|others| (*subject, others))) {
        let limit = PERIODS * (others + 1);
        for (ticks, fallback) in [(limit, Some("x-silent")), (limit + 1, None)] {
            let mut worker = Worker::start(subject);
            let silent = worker.plugin("lanes", "x-silent");
            let others: Vec<_> = (0..others).map(|other| worker.plugin(&format!("other-{other}"), "x-other")).collect();
            worker.tick(&others, ticks);

            let update = worker.refused("lanes");
            assert_eq!(worker.written(update).as_deref(), fallback, "{:?}: {ticks} ticks", subject.0);
            assert_eq!(worker.written(silent).as_deref(), fallback, "{:?}: {ticks} ticks", subject.0);
            assert_eq!(worker.written(others[0]).as_deref(), Some("x-other"));
        }
    }
}

#[test]
fn a_plug_in_that_serves_stays_though_its_timer_is_silent() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let serving = worker.plugin("lanes", "x-serving");
        let ticking = worker.plugin("other", "x-other");
        for round in 0..5 {
            worker.tick(&[ticking], PERIODS * 2);
            assert_eq!(worker.written(serving).as_deref(), Some("x-serving"), "{:?}: round {round}", subject.0);
        }
        let update = worker.refused("lanes");
        assert_eq!(worker.written(update).as_deref(), Some("x-serving"), "{:?}", subject.0);
    }
}

#[test]
fn what_a_silent_plug_in_counted_goes_to_the_host_with_the_next_tick_of_another() {
    for subject in SUBJECTS {
        let mut worker = Worker::start(subject);
        let silent = worker.plugin("lanes", "x-silent");
        let ticking = worker.plugin("other", "x-other");
        for _ in 0..3 {
            worker.written(silent).unwrap();
        }
        assert_eq!(worker.counted(), 0, "{:?}: before any tick", subject.0);
        worker.tick(&[ticking], 1);
        assert_eq!(worker.counted(), 3, "{:?}", subject.0);
        worker.tick(&[ticking], PERIODS * 2);
        assert_eq!(worker.counted(), 3, "{:?}: once the silent one is let go", subject.0);
    }
}
