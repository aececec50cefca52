//! From values to the types of a configuration.

use plugin_config::{FromConfig, Problem, Value};

use super::{
    ClientsConfig, Config, HashConfig, HeaderMatchConfig, IdentityConfig, IncomingConfig, MatchConfig, MissingConfig,
    PathConfig, PolicyConfig, RuleConfig, UsersConfig,
};

impl FromConfig for Config {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["clients", "rules"];
        let object = value.object(&fields, "an object with `rules`")?;
        Ok(Self { clients: object.or_default("clients")?, rules: object.required("rules")? })
    }
}

impl FromConfig for ClientsConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[("mayChoose", Self::MayChoose), ("mayNot", Self::MayNot)])
    }
}

impl FromConfig for RuleConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = [
            "name",
            "match",
            "header",
            "identity",
            "users",
            "hash",
            "salt",
            "modulo",
            "tagHeader",
            "policies",
            "missing",
            "incoming",
            "shadow",
            "decisionHeader",
        ];
        let object = value.object(&fields, "a rule: an object with `tagHeader` and more")?;
        Ok(Self {
            name: object.optional("name")?,
            r#match: object.optional("match")?,
            header: object.optional("header")?,
            identity: object.optional("identity")?,
            users: object.or_default("users")?,
            hash: object.or_default("hash")?,
            salt: object.optional("salt")?,
            modulo: object.required("modulo")?,
            tag_header: object.required("tagHeader")?,
            policies: object.or_default("policies")?,
            missing: object.or_default("missing")?,
            incoming: object.or_default("incoming")?,
            shadow: object.or_default("shadow")?,
            decision_header: object.optional("decisionHeader")?,
        })
    }
}

impl FromConfig for MatchConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["hosts", "path", "methods", "headers"];
        let object = value.object(&fields, "an object with `hosts`, `path`, `methods` or `headers`")?;
        Ok(Self {
            hosts: object.optional("hosts")?,
            path: object.optional("path")?,
            methods: object.optional("methods")?,
            headers: object.optional("headers")?,
        })
    }
}

impl FromConfig for PathConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["prefix", "exact"];
        let object = value.object(&fields, "an object with `prefix` or `exact`")?;
        Ok(Self { prefix: object.optional("prefix")?, exact: object.optional("exact")? })
    }
}

impl FromConfig for HeaderMatchConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["name", "exact"];
        let object = value.object(&fields, "an object with `name` and `exact`")?;
        Ok(Self { name: object.required("name")?, exact: object.required("exact")? })
    }
}

impl FromConfig for IdentityConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["header", "cookie", "query"];
        let object = value.object(&fields, "an object with `header`, `cookie` or `query`")?;
        Ok(Self {
            header: object.optional("header")?,
            cookie: object.optional("cookie")?,
            query: object.optional("query")?,
        })
    }
}

impl FromConfig for UsersConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["values", "tagValue"];
        let object = value.object(&fields, "an object with `values` and `tagValue`")?;
        Ok(Self { values: object.required("values")?, tag_value: object.required("tagValue")? })
    }
}

impl FromConfig for PolicyConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        let fields = ["from", "range", "tagValue"];
        let object = value.object(&fields, "an object with `range` and `tagValue`")?;
        Ok(Self {
            from: object.optional("from")?,
            range: object.required("range")?,
            tag_value: object.required("tagValue")?,
        })
    }
}

impl FromConfig for HashConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[("fnv1a32", Self::Fnv1a32), ("murmur3", Self::Murmur3)])
    }
}

impl FromConfig for IncomingConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        value.variant(&[("replace", Self::Replace), ("keep", Self::Keep), ("strip", Self::Strip)])
    }
}

impl FromConfig for MissingConfig {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        const EXPECTED: &str = "`skip` or an object with `tagValue`";
        match value.text(EXPECTED) {
            Ok("skip") => Ok(Self::Skip),
            Ok(other) => Err(value.unknown_variant(other, &["skip", "tagValue"])),
            Err(_) => value.object(&["tagValue"], EXPECTED)?.required("tagValue").map(Self::TagValue),
        }
    }
}
