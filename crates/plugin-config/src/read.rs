//! From text to types.

use serde::de::DeserializeOwned;

use crate::Problem;

const PROTOBUF_STRUCT: &str = "not JSON but a google.protobuf.Struct in its binary encoding: in a configuration for Envoy \
    itself, use a google.protobuf.StringValue that holds JSON";

/// Reads a `pluginConfig`, which is a JSON object, into its type.
///
/// # Errors
/// The first thing that does not fit, with the path of its field.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    if json.is_empty() {
        return Err(Problem::new("", "the configuration is empty: expected a JSON object"));
    }
    if json.trim_ascii_start().starts_with(b"[") {
        // Serde would take a list of an object's values for the object.
        return Err(Problem::new("", "expected a JSON object, not a list"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let config = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        match (path.as_str(), error.inner()) {
            (".", _) if is_protobuf_struct(json) => Problem::new("", PROTOBUF_STRUCT),
            (".", error) if !error.is_data() => Problem::new("", format!("not JSON: {error}")),
            (".", error) => Problem::new("", without_position(error)),
            (path, error) => Problem::new(path, without_position(error)),
        }
    })?;
    deserializer.end().map_err(|error| Problem::new("", format!("not JSON: {error}")))?;
    Ok(config)
}

/// The path says where it is, in a text that the reader has never seen: Istio and the tools write the JSON.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).unwrap_or(&message).to_owned()
}

/// Whether Envoy handed over a `Struct` in protobuf's encoding, which it does although its documentation says JSON: every
/// field of one is followed by the tag 0x12, a byte that no JSON has.
fn is_protobuf_struct(text: &[u8]) -> bool {
    text.first() == Some(&0x0a) && text.contains(&0x12)
}
