//! Requests and configurations.

use anyhow::{Context, Result};
use hash_tagging::Tagger;
use header_edit::HeaderList;
use serde_json::{Value, json};

use crate::{
    load::{Header, Request, header},
    proxy::TAG,
};

/// How many users and ids come by turns where it is not their number that is measured.
pub(crate) const NUMBERS: u32 = 1000;

/// The users of the published walkthrough, and some of those that the load consists of.
const USERS: [&str; 9] =
    ["jessie", "jack", "bob", "stacy", "vance", "jason", "user-00000000", "user-0000002a", "user-000003e7"];

/// 20 % of the users, as published for ASM.
pub(crate) fn asm_rule() -> Value {
    json!({
        "header": "x-user-id",
        "modulo": 100,
        "tagHeader": TAG,
        "policies": [{"range": 20, "tagValue": "s2"}, {"range": 100, "tagValue": "s1"}],
    })
}

/// The rule as a whole configuration.
pub(crate) fn asm() -> Value {
    json!({"rules": [asm_rule()]})
}

/// From one of many users.
pub(crate) fn user() -> Header {
    header("x-user-id", "user-{number}")
}

/// A trace id, one of many, in Envoy's form.
pub(crate) fn trace_id() -> Header {
    header("x-request-id", "{number}-1ee7-4c0d-a11e-0123456789ab")
}

/// A request with these headers, numbered up to [`NUMBERS`].
pub(crate) fn numbered(headers: Vec<Header>) -> Request {
    Request { path: "/", headers, numbers: NUMBERS }
}

/// What `lanes explain` would say of each user: the user's header, and the tag.
pub(crate) fn explained(configuration: &Value) -> Result<Vec<(Header, String)>> {
    let tagger = Tagger::parse(configuration.to_string().as_bytes()).context("a rule to be measured")?;
    let tag = |user: &str| {
        let mut headers: HeaderList = [("x-user-id", user)].into_iter().collect();
        let edits = tagger.on_request(&headers).edits;
        headers.apply(edits);
        let tag = headers.all(TAG).next().map(|tag| String::from_utf8_lossy(tag).into_owned());
        (header("x-user-id", user), tag.unwrap_or_default())
    };
    Ok(USERS.map(tag).into())
}
