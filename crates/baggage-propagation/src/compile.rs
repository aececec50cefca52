//! From a configuration as written to a [`Propagator`]: accepted whole, or refused whole with everything that is wrong.

use std::{collections::BTreeSet, fmt::Display};

use baggage::is_token;
use header_edit::HeaderName;
use plugin_config::{Problem, Refused, read};

use crate::{
    Event, Propagator,
    config::Config,
    mapping::{BAGGAGE, Mapping, Mappings, is_reserved, reserved_below},
};

/// Not inlined: the filter's shell is compiled for speed, and this is not on a request's path.
#[inline(never)]
pub(crate) fn compile(json: &[u8]) -> Result<Propagator, Refused> {
    let config: Config = read(json).map_err(|problem| Refused(vec![problem]))?;
    let mut compiler = Compiler::default();
    if config.headers.is_empty() && config.header_prefixes.is_empty() && config.members.is_empty() {
        compiler.error("", "nothing to carry: expected `headers`, `headerPrefixes` or `members`");
    }
    for (index, prefix) in config.header_prefixes.into_iter().enumerate() {
        compiler.prefix(format!("headerPrefixes[{index}]"), &prefix);
    }
    for (index, name) in config.headers.into_iter().enumerate() {
        let path = format!("headers[{index}]");
        compiler.mapping(&path, &path, name.clone(), &name);
    }
    for (index, member) in config.members.into_iter().enumerate() {
        let path = format!("members[{index}]");
        compiler.mapping(&format!("{path}.key"), &format!("{path}.header"), member.key, &member.header);
    }
    let baggage = compiler.check("", HeaderName::parse(BAGGAGE));
    let Compiler { mappings, errors, .. } = compiler;
    let Some(baggage) = baggage.filter(|_| errors.is_empty()) else { return Err(Refused(errors)) };
    Ok(Propagator {
        mappings,
        baggage,
        direction: config.direction,
        on_conflict: config.on_conflict,
        malformed: config.malformed,
        counters: Event::ALL.map(Event::metric),
    })
}

/// The mappings so far, and what is wrong so far.
#[derive(Default)]
struct Compiler {
    mappings: Mappings,
    headers: BTreeSet<HeaderName>,
    keys: BTreeSet<String>,
    errors: Vec<Problem>,
}

impl Compiler {
    fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.errors.push(Problem::new(path, message));
    }

    /// The value, or its error noted under the path.
    fn check<T, E: Display>(&mut self, path: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.error(path, error.to_string())).ok()
    }

    fn prefix(&mut self, path: String, prefix: &str) {
        let Some(prefix) = self.check(&path, HeaderName::parse(prefix)) else { return };
        let prefix = prefix.as_str().to_owned();
        let other = self.mappings.prefix_of(&prefix).or_else(|| self.mappings.prefix_below(&prefix));
        if let Some(other) = other {
            let message = format!("`{other}` covers the same headers: keep one of the two");
            self.error(path, message);
        } else if let Some(reserved) = reserved_below(&prefix) {
            self.error(path, format!("`{reserved}` starts with it, which cannot be carried: use a longer prefix"));
        } else {
            self.mappings.prefixes.insert(prefix);
        }
    }

    fn mapping(&mut self, key_path: &str, header_path: &str, key: String, header: &str) {
        let header = self.check(header_path, HeaderName::parse(header));
        if key_path != header_path && !is_token(key.as_bytes()) {
            self.error(key_path, "not a key of baggage: letters, digits and !#$%&'*+-.^_`|~ only");
        }
        let Some(header) = header else { return };
        if is_reserved(&header) {
            self.error(header_path, format!("`{}` cannot be carried", header.as_str()));
        }
        if self.mappings.of_prefixed(header.as_str()).is_some() {
            self.error(header_path, format!("`{}` is carried by `headerPrefixes` already", header.as_str()));
        } else if self.mappings.of_prefixed(&key).is_some() {
            self.error(key_path, format!("`{key}` is carried by `headerPrefixes` already"));
        }
        let (is_new_header, is_new_key) = (self.headers.insert(header.clone()), self.keys.insert(key.clone()));
        if !is_new_header {
            self.error(header_path, format!("`{}` is carried already: a header has one member", header.as_str()));
        } else if !is_new_key {
            self.error(key_path, format!("`{key}` is carried already: a member has one header"));
        }
        self.mappings.named.push(Mapping { key, header });
    }
}
