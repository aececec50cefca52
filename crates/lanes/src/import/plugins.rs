//! The hash-tagging configurations of the input.

use hash_tagging::{
    Tagger,
    config::{ClientsConfig, Config, RuleConfig},
};
use plugin_config::Problem;
use serde_json::Value;

use super::{
    asm::WasmPlugin,
    note::{Note, NoteKind},
    resources::{Place, Resource, Resources},
};
use crate::yaml::child;

const CONFIG: &str = "spec.pluginConfig";

/// A WasmPlugin with a hash-tagging configuration.
pub(super) struct Plugin<'a> {
    resource: &'a Resource<'a, WasmPlugin>,
    config: Config,
}

/// Reads them, and notes the WasmPlugins that are something else.
pub(super) fn read<'a>(resources: &'a Resources<'a>, notes: &mut Vec<Note>) -> Vec<Plugin<'a>> {
    resources.plugins.iter().filter_map(|plugin| one(plugin, notes)).collect()
}

fn one<'a>(resource: &'a Resource<'a, WasmPlugin>, notes: &mut Vec<Note>) -> Option<Plugin<'a>> {
    let mut lost = |path: &str, message: &str| notes.push(resource.place.note(NoteKind::Lost, path, message));
    let mut config = resource.object.spec.plugin_config.clone();
    let rules = config.get("rules").and_then(Value::as_array);
    if !rules.is_some_and(|rules| rules.iter().any(|rule| rule.get("tagHeader").is_some())) {
        let name = resource.name();
        lost(
            "",
            &format!("the WasmPlugin `{name}` is not read: it does no hash tagging, so it has no part in a lane group"),
        );
        return None;
    }
    if config.as_object_mut().and_then(|config| config.remove("debug")).is_some() {
        lost(&child(CONFIG, "debug"), "the filter has counters instead, and `decisionHeader` for single requests");
    }
    let json = config.to_string();
    let accepted = Tagger::parse(json.as_bytes()).map_err(|refused| refused.0);
    match accepted.and_then(|_| plugin_config::read(json.as_bytes()).map_err(|problem| vec![problem])) {
        Ok(config) => Some(Plugin { resource, config }),
        Err(problems) => {
            for Problem { path, message } in problems {
                let path = if path.is_empty() { CONFIG.to_owned() } else { child(CONFIG, &path) };
                lost(&path, &format!("{message}; the rules of the WasmPlugin are not carried over"));
            }
            None
        }
    }
}

impl<'a> Plugin<'a> {
    pub(super) fn name(&self) -> &'a str {
        self.resource.name()
    }

    pub(super) fn place(&self) -> &'a Place<'a> {
        &self.resource.place
    }

    /// Whether it takes away what clients send in this header, which ASM's plug-in never does.
    pub(super) fn strips(&self, header: &str) -> bool {
        let writes = |(_, rule): (String, &RuleConfig)| rule.tag_header.eq_ignore_ascii_case(header);
        self.config.clients == ClientsConfig::MayNot && self.rules().any(writes)
    }

    /// The rules, each with its path.
    pub(super) fn rules(&self) -> impl Iterator<Item = (String, &RuleConfig)> {
        self.config.rules.iter().enumerate().map(|(index, rule)| (format!("{CONFIG}.rules[{index}]"), rule))
    }

    /// Notes the rules that write none of the route headers.
    pub(super) fn not_used(&self, route_headers: &[&str], notes: &mut Vec<Note>) {
        for (path, rule) in self.rules() {
            if !route_headers.iter().any(|header| header.eq_ignore_ascii_case(&rule.tag_header)) {
                let message = format!(
                    "`{}` is the route header of no group here: keep the WasmPlugin, with hash_tagging.wasm as its module, \
                    which reads the same configuration",
                    rule.tag_header
                );
                notes.push(self.resource.place.note(NoteKind::Lost, &format!("{path}.tagHeader"), message));
            }
        }
    }
}
