//! What makes two headers the same trace: each format has parts that change from hop to hop.

use std::borrow::Cow;

use header_edit::HeaderName;

/// Longer ids are not remembered. SkyWalking's, the longest of the formats here, have about 80 bytes.
pub(crate) const MAX_ID: usize = 256;

/// How a trace header holds its id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IdFormat {
    /// `x-request-id`: Envoy keeps its decision to trace in character 14 of a value of 36 characters, and changes it
    /// from hop to hop (`source/extensions/request_id/uuid/config.cc`, `setTraceReason`).
    RequestId,
    /// `traceparent`: the trace-id of a valid header (W3C Trace Context, section 3.2).
    TraceParent,
    /// `b3`: the first of several fields, 64 or 128 bits (openzipkin/b3-propagation). `0`, `1` and `d` have no id.
    B3,
    /// `x-b3-traceid`: 64 or 128 bits.
    B3TraceId,
    /// `uber-trace-id`: the first field, whose leading zeros may be missing (Jaeger, client libraries).
    Uber,
    /// `sw8`: the second field, in Base64 (SkyWalking Cross Process Propagation Headers Protocol, v3).
    Sw8,
    /// `x-cloud-trace-context`: what stands before `/SPAN_ID;o=OPTIONS`.
    CloudTrace,
    /// Any other header: the whole value.
    Whole,
}

impl IdFormat {
    /// The format of the header of this name.
    pub(crate) fn of(header: &HeaderName) -> Self {
        match header.as_str() {
            "x-request-id" => Self::RequestId,
            "traceparent" => Self::TraceParent,
            "b3" => Self::B3,
            "x-b3-traceid" => Self::B3TraceId,
            "uber-trace-id" => Self::Uber,
            "sw8" => Self::Sw8,
            "x-cloud-trace-context" => Self::CloudTrace,
            _ => Self::Whole,
        }
    }

    /// The part of the value that is the same at every hop; `None` if there is none.
    pub(crate) fn id<'v>(self, value: &'v [u8]) -> Option<Cow<'v, [u8]>> {
        let id = match self {
            Self::RequestId => request_id(value),
            Self::TraceParent => Cow::Borrowed(trace_parent(value)?),
            Self::B3 => {
                let (id, _span) = split_once(value, b'-')?;
                hex_id(id).filter(|_| is_b3_length(id))?
            }
            Self::B3TraceId => hex_id(value).filter(|_| is_b3_length(value))?,
            Self::Uber => uber(value)?,
            Self::Sw8 => Cow::Borrowed(value.split(|byte| *byte == b'-').nth(1)?),
            Self::CloudTrace => Cow::Borrowed(value.split(|byte| matches!(byte, b'/' | b';')).next()?),
            Self::Whole => Cow::Borrowed(value),
        };
        Some(id).filter(|id| !id.is_empty())
    }
}

fn request_id(value: &[u8]) -> Cow<'_, [u8]> {
    const LENGTH: usize = 36;
    const TRACE_DECISION: usize = 14;
    // What an id without a decision has there: the version of a random UUID.
    const UNDECIDED: u8 = b'4';
    let mut id = Cow::Borrowed(value);
    if value.len() == LENGTH
        && value.get(TRACE_DECISION) != Some(&UNDECIDED)
        && let Some(decision) = id.to_mut().get_mut(TRACE_DECISION)
    {
        *decision = UNDECIDED;
    }
    id
}

/// `version "-" trace-id "-" parent-id "-" trace-flags`, in lower case; a version above 00 may go on after another `-`.
fn trace_parent(value: &[u8]) -> Option<&[u8]> {
    let (version, rest) = split_once(value, b'-')?;
    let (trace_id, rest) = split_once(rest, b'-')?;
    let (parent_id, rest) = split_once(rest, b'-')?;
    let flags = match split_once(rest, b'-') {
        Some((flags, _future)) if version != b"00" => flags,
        _ => rest,
    };
    let is_field = |field: &[u8], length| {
        field.len() == length && field.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |field: &[u8]| field.iter().all(|byte| *byte == b'0');
    let valid = is_field(version, 2)
        && version != b"ff"
        && is_field(trace_id, 32)
        && !is_zero(trace_id)
        && is_field(parent_id, 16)
        && !is_zero(parent_id)
        && is_field(flags, 2);
    valid.then_some(trace_id)
}

/// Some of Jaeger's clients escape the colons.
fn uber(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let escaped = value.windows(3).position(|part| part.eq_ignore_ascii_case(b"%3a"));
    let end = value.iter().position(|byte| *byte == b':').or(escaped)?;
    hex_id(value.get(..end)?)
}

fn is_b3_length(id: &[u8]) -> bool {
    matches!(id.len(), 16 | 32)
}

/// A hexadecimal number of up to 128 bits as 32 digits in lower case: what one library writes as 64 bits, another
/// continues as 128 with zeros in front. Zero is no id.
fn hex_id(digits: &[u8]) -> Option<Cow<'_, [u8]>> {
    const DIGITS: usize = 32;
    let is_number = digits.len() <= DIGITS && digits.iter().all(u8::is_ascii_hexdigit);
    if !is_number || digits.iter().all(|byte| *byte == b'0') {
        return None;
    }
    if digits.len() == DIGITS && !digits.iter().any(u8::is_ascii_uppercase) {
        return Some(Cow::Borrowed(digits));
    }
    let mut id = vec![b'0'; DIGITS - digits.len()];
    id.extend(digits.iter().map(u8::to_ascii_lowercase));
    Some(Cow::Owned(id))
}

fn split_once(value: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|byte| *byte == separator)?;
    Some((value.get(..at)?, value.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn id(header: &str, value: &str) -> Option<String> {
        let format = IdFormat::of(&HeaderName::parse(header).unwrap());
        format.id(value.as_bytes()).map(|id| String::from_utf8(id.into_owned()).unwrap())
    }

    #[test]
    fn each_format_keeps_what_is_the_same_at_every_hop() {
        let trace = "463ac35c9f6413ad48485a3953bb6124";
        let short = "48485a3953bb6124";
        let padded = format!("0000000000000000{short}");
        for (header, value, expected) in [
            ("X-Request-ID", "125a4afb-6f55-94ba-ad80-413f09f48a28", "125a4afb-6f55-44ba-ad80-413f09f48a28"),
            ("x-request-id", "any-Other-Id-4-b", "any-Other-Id-4-b"),
            ("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"), trace),
            ("traceparent", &format!("cc-{trace}-00f067aa0ba902b7-00-what-comes"), trace),
            ("b3", &format!("{trace}-{short}-1-05e3ac9a4f6e3b90"), trace),
            ("b3", &format!("{}-{short}", short.to_uppercase()), &padded),
            ("x-b3-traceid", &trace.to_uppercase(), trace),
            ("x-b3-traceid", short, &padded),
            ("uber-trace-id", &format!("{short}:1:0:1"), &padded),
            ("uber-trace-id", &format!("{trace}%3a1%3A0%3A1"), trace),
            ("sw8", "1-NzY0Ng==-c3Bhbg==-3-bWVzaA==-aW4=-L2E=-Yg==", "NzY0Ng=="),
            ("x-cloud-trace-context", &format!("{trace}/1;o=1"), trace),
            ("x-cloud-trace-context", &format!("{trace};o=1"), trace),
            ("x-datadog-trace-id", "5208512171318403364", "5208512171318403364"),
            ("x-user-id", "Zoë, jessie ", "Zoë, jessie "),
        ] {
            assert_eq!(id(header, value).as_deref(), Some(expected), "{header}: {value}");
        }
    }

    #[test]
    fn a_value_without_an_id_has_none() {
        let trace = "463ac35c9f6413ad48485a3953bb6124";
        for (header, value) in [
            ("x-user-id", String::new()),
            ("traceparent", trace.to_owned()),
            ("traceparent", format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase())),
            ("traceparent", format!("00-{trace}-00f067aa0ba902b7-01-")),
            ("traceparent", format!("ff-{trace}-00f067aa0ba902b7-01")),
            ("traceparent", format!("00-{trace}-0000000000000000-01")),
            ("traceparent", format!("00-{:032}-00f067aa0ba902b7-01", 0)),
            ("traceparent", format!("00-{trace}-00f067aa0ba902b7-1")),
            ("b3", "0".to_owned()),
            ("b3", "d".to_owned()),
            ("b3", "1-2".to_owned()),
            ("b3", format!("{trace}f-1")),
            ("b3", format!("{:032}-1", 0)),
            ("x-b3-traceid", "463ac35c".to_owned()),
            ("x-b3-traceid", "no-hexadecimal-number-at-all----".to_owned()),
            ("uber-trace-id", trace.to_owned()),
            ("uber-trace-id", format!("0{trace}:1:0:1")),
            ("uber-trace-id", ":1:0:1".to_owned()),
            ("sw8", "1".to_owned()),
            ("sw8", "1--2".to_owned()),
            ("x-cloud-trace-context", "/1;o=1".to_owned()),
        ] {
            assert_eq!(id(header, &value), None, "{header}: {value}");
        }
    }

    #[test]
    fn no_bytes_are_too_strange() {
        for header in ["x-request-id", "traceparent", "b3", "x-b3-traceid", "uber-trace-id", "sw8", "x"] {
            let format = IdFormat::of(&HeaderName::parse(header).unwrap());
            for byte in 0..=u8::MAX {
                for length in 0..70 {
                    format.id(&vec![byte; length]);
                }
            }
        }
    }
}
