//! How a request gets its tag.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::Duration;

/// How a request gets its tag at the gateway. Exactly one of the two is given.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The same user, the same lane: by the hash-tagging filter.
    pub users: Option<Users>,
    /// Any request, by chance: by weights of the gateway's route.
    pub weights: Option<Vec<Weight>>,
}

/// Lanes by user.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Users {
    /// Where the identity is looked for, in order.
    pub identity: Vec<Identity>,
    /// The hash function.
    #[serde(default)]
    pub hash: HashFunction,
    /// Prefixed to the identity before hashing; murmur3 only.
    pub salt: Option<String>,
    /// What the salt is to murmur3; 0 unless given; xxh64 only.
    pub seed: Option<u32>,
    /// The number of buckets. It must stay as it is during a rollout: with another one every user changes buckets.
    #[serde(default = "hundred_buckets")]
    pub modulo: u32,
    /// Users by name, decided before hashing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<NamedUsers>,
    /// The shares of the lanes; what is left is the baseline's.
    pub split: Vec<Share>,
    /// What hashes: the hash-tagging filter, or Envoy itself. docs/native.md says what it can do without the filter.
    #[serde(default, skip_serializing_if = "Tagging::is_default")]
    pub tagging: Tagging,
    /// A request header that says why a request is in its lane, with its bucket: for the access log. None unless given.
    pub decision_header: Option<String>,
}

/// One place to look for the identity. Exactly one of `header`, `cookie`, `query` and `claim` is given.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// A header.
    pub header: Option<String>,
    /// A cookie.
    pub cookie: Option<String>,
    /// A parameter of the query.
    pub query: Option<String>,
    /// A claim of a JSON Web Token that the gateway has verified, which no client can forge.
    pub claim: Option<String>,
    /// Beside `cookie`, at the last place: a visitor without an identity gets a random one as this cookie.
    /// docs/anonymous-browsers.md says what that means for privacy.
    pub issue: Option<Issue>,
}

/// The cookie that the gateway gives to a visitor.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Issue {
    /// How long a browser keeps it, whole seconds from `1s` to `9600h`, which are the 400 days that browsers keep one at most.
    pub max_age: Duration,
}

/// The hash function of the hash-tagging filter.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HashFunction {
    /// FNV-1a, 32 bit, as ASM.
    #[default]
    Fnv1a32,
    /// MurmurHash3 for x86, 32 bit: for new groups.
    Murmur3,
    /// XXH64: what Envoy's own hashing computes.
    Xxh64,
}

/// What hashes a user's identity at the gateway.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tagging {
    /// The hash-tagging filter, in WebAssembly.
    #[default]
    Wasm,
    /// The gateway's routes, which Envoy 1.36 and later choose the weights of by a hash (`use_hash_policy`). Needs `hash: xxh64`
    /// and one header as the identity.
    Native,
}

/// Users by name.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamedUsers {
    /// Identities, byte for byte.
    pub values: Vec<String>,
    /// Their lane.
    pub lane: String,
}

/// A lane's share of the users.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Share {
    /// The lane, not the baseline.
    pub lane: String,
    /// Of a hundred; a whole number of buckets.
    #[serde(serialize_with = "percent")]
    pub percent: f64,
    /// The share that the lane may grow to without moving a user of another lane; needed with three lanes or more.
    #[serde(serialize_with = "optional_percent")]
    pub up_to: Option<f64>,
}

/// A lane's weight.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// The lane.
    pub lane: String,
    /// Of a hundred.
    pub weight: u32,
}

impl Users {
    /// The place that visitors without an identity are given one at, if there is one.
    pub(crate) fn issuing(&self) -> Option<&Identity> {
        self.identity.last().filter(|place| place.issue.is_some())
    }
}

impl Tagging {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn hundred_buckets() -> u32 {
    100
}

fn optional_percent<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => percent(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// `20`, not `20.0`.
fn percent<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 { serializer.serialize_i64(*value as i64) } else { serializer.serialize_f64(*value) }
}
