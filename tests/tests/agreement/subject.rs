//! One configuration, and the four that are asked about it.

use std::{collections::BTreeSet, mem};

use anyhow::{Context, Result, bail, ensure};
use hash_tagging::{Tagger, Tagging};
use header_edit::{Directed, HeaderList};
use lanes::{document::LaneGroup, explain::explain, file, tagging};
use serde_json::Value;
use traffic_lanes_tests::{
    module_host::{Module, Process},
    wasm_listeners::{Setup, WasmListeners},
    worker::Worker,
};

/// A configuration with all that answers about it, except for the module in the two hosts.
pub(crate) struct Subject {
    document: String,
    group: Option<LaneGroup>,
    plugin_config: String,
    tagger: Tagger,
    /// The headers that may be written.
    written: BTreeSet<String>,
    /// What its listener in Envoy is called.
    listener: String,
}

/// The module in both hosts.
pub(crate) struct Hosts<'a> {
    pub(crate) worker: Worker,
    pub(crate) envoy: &'a WasmListeners,
}

/// The lines of the headers that may be written, as they arrive.
type Answer = Vec<String>;

impl Subject {
    /// Reads a lane group, or the configuration of the filter.
    pub(crate) fn read(document: &Value, number: usize) -> Result<Self> {
        let text = document.to_string();
        let (group, config) = if document["kind"] == "LaneGroup" {
            let mut file = file::read("random", &text);
            let group = file.groups.pop().with_context(|| format!("{text} is refused: {:?}", file.findings))?;
            let config = tagging::plugin_config(&group.spec).context("the lane group assigns no users")?;
            (Some(group), config)
        } else {
            (None, document.clone())
        };
        let plugin_config = config.to_string();
        let tagger = Tagger::parse(plugin_config.as_bytes()).with_context(|| plugin_config.clone())?;
        let rules = config["rules"].as_array().context("no rules")?.iter();
        let written = rules.flat_map(|rule| [&rule["tagHeader"], &rule["decisionHeader"]]);
        let written = written.filter_map(Value::as_str).map(str::to_ascii_lowercase).collect();
        Ok(Self { document: text, group, plugin_config, tagger, written, listener: format!("listener-{number}") })
    }

    pub(crate) fn setup(&self) -> Setup<'_> {
        Setup { name: self.listener.clone(), configuration: &self.plugin_config, direction: None }
    }

    pub(crate) fn worker(&self, module: &Module) -> Result<Worker> {
        Worker::start(module, &Process::new(), &self.plugin_config)
    }

    /// Asks everybody. Gives what the crate decided.
    ///
    /// # Errors
    /// They do not agree.
    pub(crate) fn ask(&self, hosts: &mut Hosts<'_>, request: HeaderList) -> Result<Tagging<'_>> {
        let mut answers = Vec::new();
        if let Some(group) = &self.group {
            let lane = explain(group, &request)?.lane;
            let line = |lane| format!("{}: {lane}", group.spec.route_header.to_ascii_lowercase());
            answers.push(("lanes explain", lane.map(line).into_iter().collect()));
        }
        let mut verdict = self.tagger.on_request(&request);
        let mut tagged = request.clone();
        tagged.apply(mem::take(&mut verdict.edits));
        answers.push(("the crate", self.answer(&tagged)));
        let request = Directed { headers: request, direction: None };
        answers.push(("the module", self.answer(&hosts.worker.request(&request)?.headers)));
        let arrived = hosts.envoy.arrived(&self.listener, &request.headers)?;
        for (name, _) in request.headers.lines().filter(|(name, _)| !self.written.contains(*name)) {
            ensure!(arrived.all(name).eq(request.headers.all(name)), "Envoy itself changed {name}: {arrived:?}");
        }
        answers.push(("Envoy", self.answer(&arrived)));
        if answers.iter().any(|(_, answer)| *answer != answers[0].1) {
            let request: Vec<String> = request.headers.lines().map(shown).collect();
            bail!("{answers:#?}\nof the request {request:#?}\nunder {}", self.document);
        }
        Ok(verdict)
    }

    fn answer(&self, arrived: &HeaderList) -> Answer {
        let lines = |name: &String| arrived.all(name).map(|value| shown((name, value))).collect::<Vec<_>>();
        self.written.iter().flat_map(lines).collect()
    }
}

fn shown((name, value): (&str, &[u8])) -> String {
    format!("{name}: {}", value.escape_ascii())
}
