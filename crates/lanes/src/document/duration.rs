//! Durations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration as Gateway API writes it (GEP-2257), such as `10s` or `1m30s`: Istio reads it in the same way.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration {
    text: String,
    milliseconds: u64,
}

impl Duration {
    /// So many seconds, in whole hours, minutes and seconds.
    pub(crate) fn of_seconds(seconds: u32) -> Self {
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
        let part = |(number, unit): &(u32, &str)| if *number == 0 { String::new() } else { format!("{number}{unit}") };
        let text: String = parts.iter().map(part).collect();
        Self { text: if text.is_empty() { "0s".to_owned() } else { text }, milliseconds: u64::from(seconds) * 1000 }
    }

    /// In milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.milliseconds
    }

    /// In seconds, as JSON has durations of Protocol Buffers.
    pub fn seconds(&self) -> String {
        match (self.milliseconds / 1000, self.milliseconds % 1000) {
            (seconds, 0) => format!("{seconds}s"),
            (seconds, rest) => format!("{seconds}.{rest:03}s"),
        }
    }
}

impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Duration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match milliseconds(&text) {
            Some(milliseconds) => Ok(Self { text, milliseconds }),
            None => Err(format!("`{text}` is no duration: expected such as `10s`, `500ms` or `1m30s`")),
        }
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.text
    }
}

/// Up to four parts of a number, up to five digits, and its unit.
fn milliseconds(text: &str) -> Option<u64> {
    let (mut rest, mut sum, mut parts) = (text, 0, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at_checked(digits)?;
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, next) = behind.split_at_checked(letters)?;
        let unit = match unit {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return None,
        };
        if digits > 5 {
            return None;
        }
        sum += number.parse::<u64>().ok()? * unit;
        (rest, parts) = (next, parts + 1);
    }
    (1..=4).contains(&parts).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_and_anything_else_is_refused() {
        assert_eq!(milliseconds("10s"), Some(10_000));
        assert_eq!(milliseconds("1m30s500ms"), Some(90_500));
        assert_eq!(milliseconds("0s"), Some(0));
        for seconds in [0, 1, 90, 3600, 34_560_000] {
            let duration = Duration::of_seconds(seconds);
            assert_eq!(Duration::try_from(duration.text.clone()), Ok(duration));
        }
        for text in ["", "10", "s", "1.5s", "-1s", "1d", "100000s", "1s1s1s1s1s", "1 s", "1\u{b5}s"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
