//! Changes of a lane group as it is written: comments, order and layout stay as they are, byte for byte, but for the lines that come
//! or go.

mod list;

use serde_json::{Value, json};
use thiserror::Error;

use self::list::List;
use crate::document::{Lane, LaneGroup, Route};

/// A lane that is to come.
#[derive(Clone, Debug)]
pub struct NewLane {
    /// The lane.
    pub lane: Lane,
    /// How its requests are known at the gateway, besides the tag: headers that they have.
    pub headers: Vec<(String, String)>,
}

/// What cannot be changed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum EditError {
    /// The text is laid out in a way that is not edited.
    #[error("{path}: expected a list that is written out there, with each entry on `- ` or in `[…]`; edit it by hand")]
    Layout {
        /// The list.
        path: String,
    },
    /// A lane that others need.
    #[error("{0}")]
    Needed(String),
}

/// The text with one more lane, and with the route that leads into it, before all others.
///
/// # Errors
/// The text is laid out in a way that is not edited.
pub fn with_lane(text: &str, group: &LaneGroup, new: &NewLane) -> Result<String, EditError> {
    let Lane { name, labels, services, .. } = &new.lane;
    let lane = json!({"name": name, "labels": labels, "services": services});
    let text = List::find(text, &["spec", "lanes"])?.appended(text, &flow(&lane));
    if new.headers.is_empty() {
        return Ok(text);
    }
    let to = group.spec.routes.iter().find_map(|route| route.service.as_ref());
    let headers: Value = new.headers.iter().map(|(name, value)| (name.clone(), json!({ "exact": value }))).collect();
    let route = json!({"name": name, "service": to, "match": [{ "headers": headers }], "lane": name});
    Ok(List::find(&text, &["spec", "routes"])?.prepended(&text, &flow(&route)))
}

/// The text without a lane, the routes that lead into it, and what names it in `assign`.
///
/// # Errors
/// It is the baseline, or has users by its share; or the text is laid out in a way that is not edited.
pub fn without_lane(text: &str, group: &LaneGroup, name: &str) -> Result<String, EditError> {
    let spec = &group.spec;
    if spec.baseline == name {
        return Err(EditError::Needed(format!("lane {name} is the baseline: say another `spec.baseline` first")));
    }
    let shares = spec.users().into_iter().flat_map(|users| &users.split).map(|share| (&share.lane, share.percent));
    let weights = spec.weights().into_iter().flatten().map(|share| (&share.lane, f64::from(share.weight)));
    if let Some((_, percent)) = shares.chain(weights).find(|(lane, percent)| *lane == name && *percent > 0.0) {
        let message = format!("lane {name} has {percent} % of the requests: take it back to 0 first, and apply that");
        return Err(EditError::Needed(message));
    }
    let is_lane = |value: &Value| value.get("name").is_some_and(|lane| lane == name);
    let leads_to_it = |value: &Value| value.get("lane").is_some_and(|lane| lane == name);
    let mut text = removed(text, &["spec", "lanes"], is_lane)?;
    for path in [
        &["spec", "routes"][..],
        &["spec", "assign", "users", "named"],
        &["spec", "assign", "users", "split"],
        &["spec", "assign", "weights"],
    ] {
        text = removed(&text, path, leads_to_it)?;
    }
    Ok(text)
}

/// Whether the group has the lane as it is to come, with its route.
pub fn has(group: &LaneGroup, new: &NewLane) -> bool {
    let Lane { name, labels, services, .. } = &new.lane;
    let is_it = |lane: &Lane| lane.labels == *labels && lane.services == *services && lane.mirror.is_none();
    let leads = |route: &Route| {
        route.lane.as_ref() == Some(name)
            && matches!(route.r#match.as_slice(), [only] if new.headers.iter().all(|(header, value)| {
                only.headers.get(header) == Some(&crate::document::StringMatch::Exact(value.clone()))
            }))
    };
    group.spec.lane(name).is_some_and(is_it) && (new.headers.is_empty() || group.spec.routes.iter().any(leads))
}

/// Without the entries of a list that are so. A list that is not there has none.
fn removed(text: &str, path: &[&str], is_so: impl Fn(&Value) -> bool) -> Result<String, EditError> {
    let mut text = text.to_owned();
    loop {
        let Some(list) = List::find_given(&text, path)? else { return Ok(text) };
        let Some(index) = list.values().position(|value| is_so(&value)) else { return Ok(text) };
        text = list.without(&text, index);
    }
}

/// In one line: a mapping in braces, names without quotation marks where YAML needs none.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(elements) => format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        value => value.to_string(),
    }
}

/// A text. What YAML, 1.1 or 1.2, could take for anything else is quoted, as JSON has it.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || "-_./".contains(char));
    if is_plain && !is_word { text.to_owned() } else { Value::from(text).to_string() }
}
