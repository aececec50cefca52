//! The shape of `pluginConfig`, before anything is checked beyond it.
//!
//! ASM's `headers` means the same here. Every struct refuses unknown fields.

use serde::Deserialize;

/// The whole `pluginConfig`. At least one of `headers`, `headerPrefixes` and `members` is given.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "an object with `headers`, `headerPrefixes` or `members`"
)]
pub struct Config {
    /// Names that a header and a member of the baggage share. The key is the name as it is written here, the header its
    /// lower case.
    #[serde(default)]
    pub headers: Vec<String>,
    /// Every header and every member whose name starts with one of these, in lower case.
    #[serde(default)]
    pub header_prefixes: Vec<String>,
    /// Headers and members whose names differ.
    #[serde(default)]
    pub members: Vec<MemberConfig>,
    /// Which way values are carried.
    #[serde(default)]
    pub direction: DirectionConfig,
    /// Who is right when header and member have different values.
    #[serde(default)]
    pub on_conflict: OnConflictConfig,
    /// What happens to members of others with broken percent-encoding.
    #[serde(default)]
    pub malformed: MalformedConfig,
}

/// A member of the baggage and its header.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "an object with `key` and `header`")]
pub struct MemberConfig {
    /// The key of the member, case-sensitive.
    pub key: String,
    /// The name of the header, in any letter case.
    pub header: String,
}

/// Which way values are carried.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum DirectionConfig {
    /// As the listener goes: inbound or outbound; both where it does not say.
    #[default]
    Auto,
    /// Header → baggage.
    Inbound,
    /// Baggage → header.
    Outbound,
    /// Whichever is missing is made of the other.
    Both,
    /// Neither: headers and members are removed.
    Strip,
}

/// Who is right when header and member have different values.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum OnConflictConfig {
    /// The header.
    #[default]
    Header,
    /// The member.
    Baggage,
}

/// What happens to members of others with broken percent-encoding. OpenTelemetry's Java SDK drops a whole list for one.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum MalformedConfig {
    /// They are removed from a list that holds a member of this filter, wherever this filter writes baggage.
    #[default]
    Drop,
    /// They stay.
    Keep,
}
