//! Whether a route takes a request, as a VirtualService decides it.

use header_edit::{HeaderList, RequestHeaders};

use crate::document::{Gateway, Route, RouteMatch, StringMatch};

impl Route {
    /// Whether any of the conditions holds, or there are none.
    pub(super) fn takes(&self, request: &HeaderList) -> bool {
        self.r#match.is_empty() || self.r#match.iter().any(|condition| condition.holds(request))
    }
}

impl Gateway {
    /// Whether a request to the host, with or without a port, is for the lane group.
    pub(super) fn serves(&self, host: &[u8]) -> bool {
        let host = host.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
        let is_it = |served: &String| match served.strip_prefix('*') {
            Some(below) => host.ends_with(below.to_ascii_lowercase().as_bytes()),
            None => host == served.to_ascii_lowercase().as_bytes(),
        };
        self.hosts.iter().any(is_it)
    }
}

impl RouteMatch {
    fn holds(&self, request: &HeaderList) -> bool {
        let value = |name: &str| request.value(&name.to_ascii_lowercase());
        let holds = |name: &str, expected: &StringMatch| value(name).is_some_and(|value| expected.holds(&value));
        let path = value(":path").unwrap_or_default();
        let path = path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        self.uri.as_ref().is_none_or(|uri| uri.holds(path))
            && self.method.as_ref().is_none_or(|method| holds(":method", method))
            && self.headers.iter().all(|(name, expected)| holds(name, expected))
    }
}

impl StringMatch {
    /// Whether the value is what is asked for.
    pub(crate) fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(text) => value == text.as_bytes(),
            Self::Prefix(text) => value.starts_with(text.as_bytes()),
            // Envoy matches the whole value. The check has refused what does not compile.
            Self::Regex(text) => {
                regex::bytes::Regex::new(&format!("^(?:{text})$")).is_ok_and(|regex| regex.is_match(value))
            }
        }
    }
}
