//! The configuration as it is written: the shape of `pluginConfig`, before anything is checked beyond it.
//!
//! ASM's hash-tagging configuration is a subset and means the same here. Every struct refuses unknown fields.

use plugin_config::WholeNumber;
use serde::Deserialize;

/// The whole `pluginConfig`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "an object with `rules`")]
pub struct Config {
    /// Whether clients may choose a lane: whether a tag that came with a request counts for anything.
    #[serde(default)]
    pub clients: ClientsConfig,
    /// In order: of the rules that write one tag header, the first that decides wins.
    pub rules: Vec<RuleConfig>,
}

/// Whether clients may choose a lane.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub enum ClientsConfig {
    /// Each rule says what becomes of a tag that came with the request, as in ASM.
    #[default]
    MayChoose,
    /// Every tag header and every decision header that came with the request is gone before the rules are asked, whether or
    /// not one looks at the request.
    MayNot,
}

/// Who is tagged, and how.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a rule: an object with `tagHeader` and more")]
pub struct RuleConfig {
    /// How counters and the decision header call the rule; `rule-0`, `rule-1`, … by position unless given.
    pub name: Option<String>,
    /// Which requests the rule looks at; all of them unless given.
    pub r#match: Option<MatchConfig>,
    /// The header that holds the identity. Exactly one of `header` and `identity` is given.
    pub header: Option<String>,
    /// Where to look for the identity, in order: the first that is present and not empty is taken.
    pub identity: Option<Vec<IdentityConfig>>,
    /// Users named one by one, decided before hashing.
    #[serde(default)]
    pub users: Vec<UsersConfig>,
    /// The hash function.
    #[serde(default)]
    pub hash: HashConfig,
    /// Prefixed to the identity before hashing, so that two rules choose their users independently; murmur3 only.
    pub salt: Option<String>,
    /// What salt is to murmur3, 0 to 4294967295; 0 unless given; xxh64 only.
    pub seed: Option<WholeNumber>,
    /// The number of buckets, 1 to 4294967295: `bucket = hash % modulo`.
    pub modulo: WholeNumber,
    /// The header that the tag is written to.
    pub tag_header: String,
    /// Which buckets get which tag; the first that covers the bucket wins.
    #[serde(default)]
    pub policies: Vec<PolicyConfig>,
    /// What happens to a request without an identity.
    #[serde(default)]
    pub missing: MissingConfig,
    /// What happens to a tag that came with the request.
    #[serde(default)]
    pub incoming: IncomingConfig,
    /// Decide and count, but write nothing and leave the tag header to the other rules.
    #[serde(default)]
    pub shadow: bool,
    /// A request header that says what the rule decided and why.
    pub decision_header: Option<String>,
}

/// Conditions on a request; all that are given must hold.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "an object with `hosts`, `path`, `methods` or `headers`")]
pub struct MatchConfig {
    /// Hosts without port, in any letter case: `shop.example.com`, `*.example.com` for every host below it, or `*`.
    pub hosts: Option<Vec<String>>,
    /// The path without its query.
    pub path: Option<PathConfig>,
    /// Methods, case-sensitive as in HTTP.
    pub methods: Option<Vec<String>>,
    /// Headers; several lines of one name are compared as Envoy's routes do: joined by commas.
    pub headers: Option<Vec<HeaderMatchConfig>>,
}

/// How a path is compared. Exactly one of the fields is given.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "an object with `prefix` or `exact`")]
pub struct PathConfig {
    /// The path starts with this text; `/api` holds for `/apis` too, as for an Envoy route.
    pub prefix: Option<String>,
    /// The path is this text.
    pub exact: Option<String>,
}

/// A header that must have a value.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "an object with `name` and `exact`")]
pub struct HeaderMatchConfig {
    /// The header's name, in any letter case.
    pub name: String,
    /// The value, byte for byte.
    pub exact: String,
}

/// One place to look for the identity. Exactly one of `header`, `cookie`, `query` and `claim` is given.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "an object with `header`, `cookie`, `query` or `claim`"
)]
pub struct IdentityConfig {
    /// This header; several lines of it are read as Envoy's routes do: joined by commas.
    pub header: Option<String>,
    /// This cookie of the first `cookie` line, without surrounding quotes.
    pub cookie: Option<String>,
    /// This parameter of the query, percent-decoded, `+` read as a space.
    pub query: Option<String>,
    /// This claim of a JSON Web Token that the proxy has verified, which no client can forge.
    pub claim: Option<String>,
    /// Beside `cookie`, at the last place: who comes without an identity gets a random one as this cookie, which a browser keeps
    /// for so many seconds, 1 to 34560000: 400 days, and browsers keep none for longer. Needs `hash_tagging_cookie.wasm`.
    pub issue_max_age_seconds: Option<WholeNumber>,
}

/// Users that get a tag whatever their hash.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "an object with `values` and `tagValue`")]
pub struct UsersConfig {
    /// Identities, byte for byte.
    pub values: Vec<String>,
    /// The tag they get.
    pub tag_value: String,
}

/// The hash function.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum HashConfig {
    /// FNV-1a, 32 bit: what ASM's plug-in computes.
    #[default]
    Fnv1a32,
    /// MurmurHash3 for x86, 32 bit, seed 0.
    Murmur3,
    /// XXH64: what Envoy's own hashing computes.
    Xxh64,
}

/// Buckets that get a tag: `from <= bucket < range`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "an object with `range` and `tagValue`")]
pub struct PolicyConfig {
    /// The first bucket; 0 unless given.
    pub from: Option<WholeNumber>,
    /// The bucket after the last one; 0 never matches, which is how a ramp is rolled back.
    pub range: WholeNumber,
    /// The tag.
    pub tag_value: String,
}

/// What happens to a request without an identity.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub enum MissingConfig {
    /// The rule does not decide.
    #[default]
    Skip,
    /// The request gets this tag.
    TagValue(String),
}

/// What happens to a tag that came with the request. An empty tag is no tag.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum IncomingConfig {
    /// The rule's tag replaces it; where the rule does not decide, it stays.
    #[default]
    Replace,
    /// It stays, and no later rule touches it.
    Keep,
    /// It goes, whether or not the rule decides.
    Strip,
}
