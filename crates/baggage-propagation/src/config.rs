//! The shape of `pluginConfig`, before anything is checked beyond it.
//!
//! ASM's `headers` means the same here. Every struct refuses unknown fields.

use plugin_config::{FromConfig, Problem, Value};

/// The whole `pluginConfig`. At least one of `headers`, `headerPrefixes` and `members` is given.
#[derive(Debug)]
pub struct Config {
    /// Names that a header and a member of the baggage share. The key is the name as it is written here, the header its
    /// lower case.
    pub headers: Vec<String>,
    /// Every header and every member whose name starts with one of these, in lower case.
    pub header_prefixes: Vec<String>,
    /// Headers and members whose names differ.
    pub members: Vec<MemberConfig>,
    /// Which way values are carried.
    pub direction: DirectionConfig,
    /// Who is right when header and member have different values.
    pub on_conflict: OnConflictConfig,
    /// What happens to members of others with broken percent-encoding.
    pub malformed: MalformedConfig,
}

/// A member of the baggage and its header.
#[derive(Debug)]
pub struct MemberConfig {
    /// The key of the member, case-sensitive.
    pub key: String,
    /// The name of the header, in any letter case.
    pub header: String,
}

/// Which way values are carried.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnConflictConfig {
    /// The header.
    #[default]
    Header,
    /// The member.
    Baggage,
}

/// What happens to members of others with broken percent-encoding. OpenTelemetry's Java SDK drops a whole list for one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MalformedConfig {
    /// They are removed from a list that holds a member of this filter, wherever this filter writes baggage.
    #[default]
    Drop,
    /// They stay.
    Keep,
}

impl FromConfig for Config {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["headers", "headerPrefixes", "members", "direction", "onConflict", "malformed"];
        let object = value.object(&fields, "an object with `headers`, `headerPrefixes` or `members`")?;
        Ok(Self {
            headers: object.or_default("headers")?,
            header_prefixes: object.or_default("headerPrefixes")?,
            members: object.or_default("members")?,
            direction: object.or_default("direction")?,
            on_conflict: object.or_default("onConflict")?,
            malformed: object.or_default("malformed")?,
        })
    }
}

impl FromConfig for MemberConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["key", "header"];
        let object = value.object(&fields, "an object with `key` and `header`")?;
        Ok(Self { key: object.required("key")?, header: object.required("header")? })
    }
}

impl FromConfig for DirectionConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[
            ("auto", Self::Auto),
            ("inbound", Self::Inbound),
            ("outbound", Self::Outbound),
            ("both", Self::Both),
            ("strip", Self::Strip),
        ])
    }
}

impl FromConfig for OnConflictConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[("header", Self::Header), ("baggage", Self::Baggage)])
    }
}

impl FromConfig for MalformedConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[("drop", Self::Drop), ("keep", Self::Keep)])
    }
}
