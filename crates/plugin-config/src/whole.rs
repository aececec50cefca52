//! Whole numbers as configuration delivers them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A whole number from 0 to 4294967295.
///
/// Istio and Envoy hold `pluginConfig` as a protobuf `Struct`, whose numbers are doubles, so `100`, `100.0` and `1e2`
/// are the same number here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
pub struct WholeNumber(pub u32);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = WholeNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 to 4294967295")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<WholeNumber, E> {
        u32::try_from(number).map(WholeNumber).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<WholeNumber, E> {
        Err(E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<WholeNumber, E> {
        // A cast from float to integer saturates, so coming back unchanged proves whole and in range.
        let whole = number as u32;
        if f64::from(whole) == number {
            Ok(WholeNumber(whole))
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn reads_integers_and_whole_doubles() {
        for (text, number) in [("100", 100), ("100.0", 100), ("1e2", 100), ("0", 0), ("4294967295", u32::MAX)] {
            assert_eq!(serde_json::from_str::<WholeNumber>(text).unwrap(), WholeNumber(number), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["-1", "0.5", "4294967296", "4294967296.0", "1e300", "-0.5", "\"100\"", "null", "true", "[1]"] {
            let error = serde_json::from_str::<WholeNumber>(text).unwrap_err().to_string();
            assert!(error.contains("a whole number from 0 to 4294967295"), "{text}: {error}");
        }
    }
}
