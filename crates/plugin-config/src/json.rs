//! From text to types.

use std::borrow::Cow;

use hifijson::{Error, SliceLexer, token::Lex, value};

use crate::{FromConfig, Problem, Value, path::Path};

/// Numbers as they are written, objects with every member in order.
pub(crate) type Json<'j> = value::Value<&'j str, Cow<'j, str>>;

/// How deep values may stand in each other: more would take a stack that a module does not have.
const MAX_DEPTH: usize = 128;

const PROTOBUF_STRUCT: &str = "not JSON but a google.protobuf.Struct in its binary encoding: in a configuration for Envoy \
    itself, use a google.protobuf.StringValue that holds JSON";

/// Reads a `pluginConfig`, which is a JSON object, into its type.
///
/// # Errors
/// The first thing that does not fit, with the path of its field.
pub fn read<T: FromConfig>(json: &[u8]) -> Result<T, Problem> {
    if json.is_empty() {
        return Err(Problem::new("", "the configuration is empty: expected a JSON object"));
    }
    let mut lexer = SliceLexer::new(json);
    let parsed = lexer.exactly_one(Lex::ws_peek, |next, lexer| value::parse_bounded(MAX_DEPTH, next, lexer));
    match parsed {
        Ok(tree) => T::from_config(Value::new(&tree, &Path::Root)),
        Err(_) if is_protobuf_struct(json) => Err(Problem::new("", PROTOBUF_STRUCT)),
        Err(error) => Err(not_json(json, lexer.as_slice().len(), &error)),
    }
}

fn not_json(json: &[u8], unread: usize, error: &Error) -> Problem {
    let read = json.len().checked_sub(unread).and_then(|length| json.get(..length)).unwrap_or(json);
    let line = read.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = read.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    Problem::new("", format!("not JSON: {error} at line {line} column {column}"))
}

/// Whether Envoy handed over a `Struct` in protobuf's encoding, which it does although its documentation says JSON: every
/// field of one is followed by the tag 0x12, a byte that no JSON has.
fn is_protobuf_struct(text: &[u8]) -> bool {
    text.first() == Some(&0x0a) && text.contains(&0x12)
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whatever is JSON.
    struct Anything;

    impl FromConfig for Anything {
        fn from_config(_: Value<'_>) -> Result<Self, Problem> {
            Ok(Self)
        }
    }

    fn is_json(text: &str) -> bool {
        read::<Anything>(text.as_bytes()).is_ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Exponents have one digit, because serde_json refuses what no double can hold.
        #[test]
        fn what_is_json_is_what_serde_json_takes_for_json(
            text in r#"([\[\]{},:" ]|"[a\\\x01u0-9"é]{0,7}"|-?[0-9]{1,2}(\.[0-9]{0,2})?([eE][+-]?[0-9]?)?|true|null|fals){0,9}"#
        ) {
            let expected = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(is_json(&text), expected, "{:?}", text);
        }
    }

    #[test]
    fn values_stand_in_each_other_only_so_deep() {
        let nested = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(is_json(&nested(MAX_DEPTH)));
        assert!(!is_json(&nested(MAX_DEPTH + 1)));
        assert!(!is_json(&nested(1_000_000)));
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        let error = read::<Anything>(b"{\n  \"a\": 1,\n  b").err().map(|problem| problem.to_string());
        assert_eq!(error.as_deref(), Some("not JSON: string expected at line 3 column 3"));
    }
}
