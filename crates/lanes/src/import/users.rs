//! From the hash-tagging configurations of the input to users.

mod shares;

use hash_tagging::{
    Tagger,
    config::{ClientsConfig, Config, HashConfig, IncomingConfig, MissingConfig, RuleConfig, UsersConfig},
};
use serde_json::Value;

use self::shares::shares;
use super::{asm::WasmPlugin, group::Source, input::Resource, notes::Notes};
use crate::{
    document::{Duration, HashFunction, Identity, Issue, NamedUsers, Tagging, Users},
    finding::Problem,
    yaml::child,
};

const CONFIG: &str = "spec.pluginConfig";
const KEPT: &str = "keep the WasmPlugin, with hash_tagging.wasm as its module, which reads the same configuration";

/// A WasmPlugin with a hash-tagging configuration.
pub(super) struct TaggingPlugin<'a> {
    resource: Resource<'a, WasmPlugin>,
    config: Config,
}

impl<'a> TaggingPlugin<'a> {
    /// Reads its configuration; `None`, and a note, if it is something else.
    pub(super) fn read(resource: Resource<'a, WasmPlugin>, notes: &mut Notes) -> Option<Self> {
        let (name, place) = (resource.name(), &resource.place);
        let mut config = resource.object.spec.plugin_config.clone();
        let rules = config.get("rules").and_then(Value::as_array);
        if !rules.is_some_and(|rules| rules.iter().any(|rule| rule.get("tagHeader").is_some())) {
            let message = format!(
                "the WasmPlugin `{name}` is not read: it does no hash tagging, so it has no part in a lane group"
            );
            notes.lost(place, "", message);
            return None;
        }
        if config.as_object_mut().and_then(|config| config.remove("debug")).is_some() {
            let message = "the filter has counters instead, and `decisionHeader` for single requests";
            notes.lost(place, &child(CONFIG, "debug"), message);
        }
        let json = config.to_string();
        let accepted = Tagger::parse(json.as_bytes()).map_err(|refused| refused.0);
        match accepted.and_then(|_| plugin_config::read(json.as_bytes()).map_err(|problem| vec![problem])) {
            Ok(config) => Some(Self { resource, config }),
            Err(problems) => {
                for Problem { path, message } in problems {
                    let path = if path.is_empty() { CONFIG.to_owned() } else { child(CONFIG, &path) };
                    let message = format!("{message}; the rules of the WasmPlugin are not carried over");
                    notes.lost(place, &path, message);
                }
                None
            }
        }
    }

    /// Whether it takes away what clients send in this header, which ASM's plug-in never does.
    pub(super) fn strips(&self, header: &str) -> bool {
        let writes = |(_, rule): (String, &RuleConfig)| rule.tag_header.eq_ignore_ascii_case(header);
        self.config.clients == ClientsConfig::MayNot && self.rules().any(writes)
    }

    /// The rules, each with its path.
    fn rules(&self) -> impl Iterator<Item = (String, &RuleConfig)> {
        self.config.rules.iter().enumerate().map(|(index, rule)| (format!("{CONFIG}.rules[{index}]"), rule))
    }

    /// Notes the rules that write none of the route headers.
    pub(super) fn not_used(&self, route_headers: &[&str], notes: &mut Notes) {
        for (path, rule) in self.rules() {
            if !route_headers.iter().any(|header| header.eq_ignore_ascii_case(&rule.tag_header)) {
                let message = format!("`{}` is the route header of no group here: {KEPT}", rule.tag_header);
                notes.lost(&self.resource.place, &format!("{path}.tagHeader"), message);
            }
        }
    }
}

impl Source<'_> {
    /// The users of the rule that writes the route header, if a lane group can say exactly the same.
    pub(super) fn users(&self, baseline: &str, is_weighted: bool, notes: &mut Notes) -> Option<Users> {
        let mut users = None;
        for plugin in &self.input.plugins {
            let is_it = |rule: &RuleConfig| rule.tag_header.eq_ignore_ascii_case(self.route_header);
            for (path, rule) in plugin.rules().filter(|(_, rule)| is_it(rule)) {
                let read = match &users {
                    _ if is_weighted => Err(Problem::new("", "the group goes by weights already")),
                    Some(_) => Err(Problem::new("", "a rule for the route header came before")),
                    None => self.users_of(rule, baseline),
                };
                match read {
                    Ok(read) => {
                        notes.comment("assign", format!("From the WasmPlugin `{}`.", plugin.resource.name()));
                        users = Some(read);
                    }
                    Err(Problem { path: field, message }) => {
                        let path = if field.is_empty() { path } else { child(&path, &field) };
                        let message = format!("{message}: a lane group cannot say it; {KEPT}");
                        notes.lost(&plugin.resource.place, &path, message);
                    }
                }
            }
        }
        users
    }

    /// The same as a rule.
    fn users_of(&self, rule: &RuleConfig, baseline: &str) -> Result<Users, Problem> {
        let is_given = [
            ("match", rule.r#match.is_some(), "only some requests"),
            ("missing", !matches!(rule.missing, MissingConfig::Skip), "a tag for requests without identity"),
            ("incoming", rule.incoming != IncomingConfig::Replace, "what becomes of a tag that came with the request"),
            ("shadow", rule.shadow, "a rule that writes nothing"),
        ];
        if let Some((field, _, what)) = is_given.into_iter().find(|(_, is_given, _)| *is_given) {
            return Err(Problem::new(field, what));
        }
        let lanes: Vec<&str> = self.lanes.iter().map(|lane| lane.name()).collect();
        let modulo = rule.modulo.0;
        let users = Users {
            identity: identity(rule),
            hash: match rule.hash {
                HashConfig::Fnv1a32 => HashFunction::Fnv1a32,
                HashConfig::Murmur3 => HashFunction::Murmur3,
                HashConfig::Xxh64 => HashFunction::Xxh64,
            },
            salt: rule.salt.clone(),
            seed: rule.seed.as_ref().map(|seed| seed.0),
            modulo,
            named: named(&rule.users, &lanes)?,
            split: Vec::new(),
            tagging: Tagging::Wasm,
            decision_header: rule.decision_header.clone(),
        };
        shares(users, &rule.policies, &lanes, baseline).map_err(|message| Problem::new("policies", message))
    }
}

fn identity(rule: &RuleConfig) -> Vec<Identity> {
    let header = rule.header.iter().map(|header| Identity { header: Some(header.clone()), ..Identity::default() });
    let places = rule.identity.iter().flatten().map(|place| Identity {
        header: place.header.clone(),
        cookie: place.cookie.clone(),
        query: place.query.clone(),
        claim: place.claim.clone(),
        issue: place.issue_max_age_seconds.map(|age| Issue { max_age: Duration::of_seconds(age.0) }),
    });
    header.chain(places).collect()
}

fn named(users: &[UsersConfig], lanes: &[&str]) -> Result<Vec<NamedUsers>, Problem> {
    let named = |users: &UsersConfig| {
        let (values, lane) = (users.values.clone(), users.tag_value.clone());
        if !lanes.contains(&lane.as_str()) {
            return Err(Problem::new("users", format!("users of `{lane}`, which is no lane of the group")));
        }
        Ok(NamedUsers { values, lane })
    };
    users.iter().map(named).collect()
}
