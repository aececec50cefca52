//! Whole numbers as configuration delivers them.

use hifijson::value::Value as Tree;

use crate::{FromConfig, Problem, Value};

const EXPECTED: &str = "a whole number from 0 to 4294967295";

/// A whole number from 0 to 4294967295.
///
/// Istio and Envoy hold `pluginConfig` as a protobuf `Struct`, whose numbers are doubles, so `100`, `100.0` and `1e2`
/// are the same number here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Whole(pub u32);

impl FromConfig for Whole {
    fn from_config(value: Value<'_>) -> Result<Self, Problem> {
        match value.json() {
            Tree::Number((number, _)) => whole(number).map(Self).ok_or_else(|| value.invalid_value(EXPECTED)),
            _ => Err(value.invalid_type(EXPECTED)),
        }
    }
}

/// The value of a JSON number (RFC 8259, section 6), without the floating point that its text does not need.
fn whole(number: &str) -> Option<u32> {
    const MAX_DIGITS: usize = 10;
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let is_negative = mantissa.starts_with('-');
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let integer = integer.trim_start_matches(['-', '0']);
    let fraction = fraction.trim_end_matches('0');
    if integer.is_empty() && fraction.is_empty() {
        return Some(0);
    }
    // What does not fit has more digits than a whole number in range, before or after its point.
    let exponent: i16 = exponent.parse().ok()?;
    let shift = usize::from(exponent.unsigned_abs());
    let digits = [integer, fraction].concat();
    let (digits, zeros) = if exponent < 0 {
        let kept = integer.len().checked_sub(shift).filter(|_| fraction.is_empty())?;
        let (kept, dropped) = digits.split_at_checked(kept)?;
        (dropped.bytes().all(|digit| digit == b'0').then_some(kept)?, 0)
    } else {
        (digits.as_str(), shift.checked_sub(fraction.len())?)
    };
    let digits = digits.trim_start_matches('0');
    if is_negative || digits.len() + zeros > MAX_DIGITS {
        return None;
    }
    let number = digits.bytes().chain(std::iter::repeat_n(b'0', zeros));
    let number = number.fold(0_u64, |number, digit| number * 10 + u64::from(digit.wrapping_sub(b'0')));
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::read;

    #[test]
    fn reads_integers_and_whole_doubles() {
        for (text, number) in [
            ("100", 100),
            ("100.0", 100),
            ("1e2", 100),
            ("1.5E+1", 15),
            ("0.01e4", 100),
            ("120000e-4", 12),
            ("0", 0),
            ("-0.0", 0),
            ("0e99999", 0),
            ("4294967295", u32::MAX),
            ("4.294967295e9", u32::MAX),
        ] {
            assert_eq!(read(text.as_bytes()), Ok(Whole(number)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "-1",
            "0.5",
            "4294967296",
            "4294967296.0",
            "1e300",
            "1e-300",
            "1e99999",
            "1e-99999",
            "15e-1",
            "0.015e2",
            "10000000000",
            "-0.5",
            "-1e1",
            "\"100\"",
            "null",
            "true",
            "[1]",
        ] {
            let error = read::<Whole>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("a whole number from 0 to 4294967295"), "{text}: {error}");
        }
    }
}
