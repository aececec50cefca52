//! From a hash-tagging configuration to users.

use hash_tagging::config::{HashConfig, IncomingConfig, MissingConfig, RuleConfig, UsersConfig};
use plugin_config::Problem;

use super::{group::Importer, shares::shares};
use crate::{
    document::{HashFunction, Identity, NamedUsers, Users},
    yaml::child,
};

impl Importer<'_> {
    /// The users of the rule that writes the route header, if a lane group can say exactly the same.
    pub(super) fn users(&mut self, route_header: &str, baseline: &str, is_weighted: bool) -> Option<Users> {
        let mut users = None;
        for plugin in self.plugins {
            let rules = plugin.rules().filter(|(_, rule)| rule.tag_header.eq_ignore_ascii_case(route_header));
            for (path, rule) in rules {
                let read = match &users {
                    _ if is_weighted => Err(Problem::new("", "the group goes by weights already")),
                    Some(_) => Err(Problem::new("", "a rule for the route header came before")),
                    None => self.users_of(rule, baseline),
                };
                match read {
                    Ok(read) => {
                        self.remark("assign", format!("From the WasmPlugin `{}`.", plugin.name()));
                        users = Some(read);
                    }
                    Err(Problem { path: field, message }) => {
                        let path = if field.is_empty() { path } else { child(&path, &field) };
                        let message = format!(
                            "{message}: a lane group cannot say it; keep the WasmPlugin, with \
                            hash_tagging.wasm as its module, which reads the same configuration"
                        );
                        self.lost(plugin.place(), &path, message);
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
            ("decisionHeader", rule.decision_header.is_some(), "a header that explains"),
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
            },
            salt: rule.salt.clone(),
            modulo,
            named: named(&rule.users, &lanes)?,
            split: Vec::new(),
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
