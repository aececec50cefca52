//! What becomes of a request's tags: any rules, any headers, against rules that are read one after the other with nothing
//! remembered between them.
#![no_main]

use arbitrary::Arbitrary;
use hash_tagging::{Tagger, fnv1a32};
use header_edit::{HeaderList, HeaderValue, RequestHeaders};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

const IDENTITIES: [&str; 3] = ["id", "other", "env"];
const TAGS: [&str; 2] = ["lane", "x-tag"];
const VALUES: [&str; 5] = ["s1", "s2", "prod", "jessie", "/cart"];
const LINES: [&str; 8] = ["id", "other", "env", "lane", "x-tag", ":path", ":method", ":authority"];

#[derive(Arbitrary, Debug)]
struct Input {
    may_choose: bool,
    rules: Vec<Rule>,
    lines: Vec<(u8, Line)>,
}

#[derive(Arbitrary, Debug)]
enum Line {
    Known(u8),
    Other(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Rule {
    path_prefix: Option<u8>,
    environment: Option<u8>,
    host: Option<bool>,
    identities: (u8, Option<u8>),
    user: Option<(u8, u8)>,
    modulo: u8,
    policies: Vec<(Option<u8>, u8, u8)>,
    missing: Option<u8>,
    incoming: u8,
    tag: u8,
    shadow: bool,
}

fuzz_target!(|input: Input| {
    let rules: Vec<Value> = input.rules.iter().map(Rule::json).collect();
    let clients = if input.may_choose { "mayChoose" } else { "mayNot" };
    let Ok(tagger) = Tagger::parse(json!({"clients": clients, "rules": rules}).to_string().as_bytes()) else { return };
    let lines = input.lines.iter().map(|(name, line)| (pick(&LINES, *name), line.bytes()));
    let lines = lines.filter(|(_, value)| HeaderValue::allows(value));
    let came: HeaderList = lines.collect();

    let mut seen = came.clone();
    seen.apply(tagger.on_request(&came).edits);
    for name in LINES {
        let now: Vec<&[u8]> = seen.all(name).collect();
        match expected(&input, &came, name) {
            Becomes::Untouched => assert_eq!(now, came.all(name).collect::<Vec<_>>(), "{name}"),
            Becomes::Gone => assert!(now.is_empty(), "{name}"),
            Becomes::Tag(tag) => assert_eq!(now, [tag.as_bytes()], "{name}"),
        }
    }
});

#[derive(Clone, Copy)]
enum Becomes {
    Untouched,
    Gone,
    Tag(&'static str),
}

fn expected(input: &Input, came: &HeaderList, name: &str) -> Becomes {
    if !TAGS.contains(&name) || !input.rules.iter().any(|rule| pick(&TAGS, rule.tag) == name) {
        return Becomes::Untouched;
    }
    let is_hidden = |line: &str| !input.may_choose && input.rules.iter().any(|rule| pick(&TAGS, rule.tag) == line);
    let value = |line: &str| if is_hidden(line) { None } else { came.value(line).map(|value| value.into_owned()) };
    let mut becomes = if input.may_choose { Becomes::Untouched } else { Becomes::Gone };
    for rule in input.rules.iter().filter(|rule| pick(&TAGS, rule.tag) == name) {
        let first = |line| came.first(line).unwrap_or_default().into_owned();
        let path = first(":path");
        let end = path.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(path.len());
        let host = first(":authority");
        let is_host =
            host == b"prod" || host.starts_with(b"prod:") && !host[5..].contains(&b':') && !host.ends_with(b"]");
        let looks = rule.path_prefix.is_none_or(|prefix| path[..end].starts_with(pick(&VALUES, prefix).as_bytes()))
            && (rule.path_prefix.is_none() || came.first(":path").is_some())
            && rule.environment.is_none_or(|env| value("env").as_deref() == Some(pick(&VALUES, env).as_bytes()))
            && rule.host.is_none_or(|any| any || is_host);
        if !looks {
            continue;
        }
        if rule.incoming % 3 == 1 && value(name).is_some() && !matches!(becomes, Becomes::Gone) {
            if rule.shadow {
                continue;
            } else {
                break;
            };
        }
        let tag = rule.tag(&value);
        match tag {
            _ if rule.shadow => {}
            Some(tag) => return Becomes::Tag(tag),
            None if rule.incoming % 3 == 2 => becomes = Becomes::Gone,
            None => {}
        }
    }
    becomes
}

impl Rule {
    fn tag(&self, value: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<&'static str> {
        let (first, second) = self.identities;
        let mut sources = [Some(first), second].into_iter().flatten();
        let Some(identity) = sources.find_map(|source| value(pick(&IDENTITIES, source))) else {
            return self.missing.map(|tag| pick(&VALUES, tag));
        };
        if let Some((user, tag)) = self.user.filter(|(user, _)| pick(&VALUES, *user).as_bytes() == identity) {
            let _ = user;
            return Some(pick(&VALUES, tag));
        }
        let bucket = fnv1a32(&identity) % self.modulo();
        let policy = self.policies().find(|(from, range, _)| (*from..*range).contains(&bucket));
        policy.map(|(_, _, tag)| pick(&VALUES, tag))
    }

    fn modulo(&self) -> u32 {
        u32::from(self.modulo) + 1
    }

    /// First bucket, bucket after the last, tag.
    fn policies(&self) -> impl Iterator<Item = (u32, u32, u8)> {
        self.policies.iter().map(|(from, range, tag)| {
            let range = u32::from(*range) % (self.modulo() + 1);
            (u32::from(from.unwrap_or(0)) % range.max(1), range, *tag)
        })
    }

    fn json(&self) -> Value {
        let mut condition = Map::new();
        if let Some(prefix) = self.path_prefix {
            condition.insert("path".into(), json!({"prefix": pick(&VALUES, prefix)}));
        }
        if let Some(env) = self.environment {
            condition.insert("headers".into(), json!([{"name": "env", "exact": pick(&VALUES, env)}]));
        }
        if let Some(any) = self.host {
            condition.insert("hosts".into(), json!([if any { "*" } else { "prod" }]));
        }
        let (first, second) = self.identities;
        let identity: Vec<Value> = [Some(first), second]
            .into_iter()
            .flatten()
            .map(|source| json!({"header": pick(&IDENTITIES, source)}))
            .collect();
        let users: Vec<Value> = self
            .user
            .iter()
            .map(|(user, tag)| json!({"values": [pick(&VALUES, *user)], "tagValue": pick(&VALUES, *tag)}))
            .collect();
        let policies: Vec<Value> = self
            .policies()
            .map(|(from, range, tag)| json!({"from": from, "range": range, "tagValue": pick(&VALUES, tag)}))
            .collect();
        let incoming = pick(&["replace", "keep", "strip"], self.incoming % 3);
        let mut rule = json!({
            "identity": identity, "users": users, "modulo": self.modulo(), "policies": policies, "shadow": self.shadow,
            "tagHeader": pick(&TAGS, self.tag), "incoming": incoming,
        });
        if !condition.is_empty() {
            rule["match"] = condition.into();
        }
        if let Some(tag) = self.missing {
            rule["missing"] = json!({"tagValue": pick(&VALUES, tag)});
        }
        rule
    }
}

impl Line {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Known(value) => pick(&VALUES, *value).into(),
            Self::Other(value) => value.clone(),
        }
    }
}

fn pick(from: &[&'static str], index: u8) -> &'static str {
    from[usize::from(index) % from.len()]
}
