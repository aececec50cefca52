use std::{ffi::OsString, net::SocketAddr};

use axum::http::HeaderName;
use reqwest::Url;

use crate::condition::Condition;

/// What the environment says. An optional variable that is empty counts as absent.
///
/// `HTTP_PROXY` is checked here and then honoured by the HTTP client in its usual meaning: it is the outbound listener
/// of the sidecar. In Istio, where connections are intercepted, it is not needed.
#[derive(Debug)]
pub(crate) struct Config {
    /// `NAME`: the service, such as `mocka`.
    pub(crate) name: String,
    /// `VERSION`: which version of the service this is, such as `v1`.
    pub(crate) version: String,
    /// `LISTEN`: IP address and port; with port 0 the system chooses one.
    pub(crate) listen: SocketAddr,
    /// `UPSTREAM_URL`: what is called next, such as `http://mockb:8000/mock`; absent for the last of a chain.
    pub(crate) upstream: Option<Url>,
    /// `FORWARD_HEADERS`: comma separated names of the headers that a request passes on to the upstream.
    pub(crate) forward: Vec<HeaderName>,
    /// `CONDITION`: `healthy` unless it is `slow`, `broken` or `unavailable`.
    pub(crate) condition: Condition,
}

/// An environment variable that does not hold what it should.
#[derive(Debug, thiserror::Error)]
#[error("{variable} holds {held}, expected {expected}")]
pub(crate) struct BadVariable {
    variable: &'static str,
    held: String,
    expected: &'static str,
}

/// `CONTROL`: where the application can be killed, and started again; see [`supervise`](crate::supervise).
pub(crate) fn control(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<SocketAddr>, BadVariable> {
    const ADDRESS: &str = "an IP address and a port such as 0.0.0.0:8081";
    Environment { lookup }.optional("CONTROL", ADDRESS, |text| text.parse().ok())
}

impl Config {
    /// Reads every variable through `lookup`; the first one that cannot be used is the error.
    pub(crate) fn from_environment(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, BadVariable> {
        const LABEL: &str = "a name such as mocka or v1";
        const ADDRESS: &str = "an IP address and a port such as 127.0.1.11:8080";
        const UPSTREAM: &str = "a URL such as http://mockb:8000/mock";
        const PROXY: &str = "a URL such as http://127.0.1.11:15001";
        const HEADERS: &str = "comma separated header names such as x-user-id,x-request-id";
        const CONDITION: &str = "healthy, slow, broken or unavailable";

        let environment = Environment { lookup };
        environment.optional("HTTP_PROXY", PROXY, http_url)?;
        let forward = environment.optional("FORWARD_HEADERS", HEADERS, header_names)?;
        Ok(Self {
            name: environment.required("NAME", LABEL, label)?,
            version: environment.required("VERSION", LABEL, label)?,
            listen: environment.required("LISTEN", ADDRESS, |text| text.parse().ok())?,
            upstream: environment.optional("UPSTREAM_URL", UPSTREAM, http_url)?,
            forward: forward.unwrap_or_default(),
            condition: environment.optional("CONDITION", CONDITION, Condition::parse)?.unwrap_or_default(),
        })
    }
}

struct Environment<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<OsString>> Environment<F> {
    fn required<T>(
        &self,
        variable: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, BadVariable> {
        self.optional(variable, expected, parse)?.ok_or_else(|| BadVariable {
            variable,
            held: "nothing".into(),
            expected,
        })
    }

    fn optional<T>(
        &self,
        variable: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, BadVariable> {
        let Some(held) = (self.lookup)(variable).filter(|held| !held.is_empty()) else {
            return Ok(None);
        };
        match held.to_str().and_then(parse) {
            Some(value) => Ok(Some(value)),
            None => Err(BadVariable { variable, held: format!("{held:?}"), expected }),
        }
    }
}

fn label(text: &str) -> Option<String> {
    let printable = text.chars().all(|char| char.is_ascii_graphic());
    printable.then(|| text.to_owned())
}

fn http_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| url.scheme() == "http")
}

fn header_names(text: &str) -> Option<Vec<HeaderName>> {
    text.split(',').map(|name| name.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOCKA: [(&str, &str); 3] = [("NAME", "mocka"), ("VERSION", "v1"), ("LISTEN", "127.0.1.11:8080")];

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let last = |name: &str| variables.iter().rfind(|(variable, _)| *variable == name);
        Config::from_environment(|name| last(name).map(|(_, held)| held.into())).map_err(|error| error.to_string())
    }

    #[test]
    fn the_rest_is_optional() {
        let config = read(&MOCKA).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.1.11:8080");
        assert_eq!(config.upstream, None);
        assert!(config.forward.is_empty());
    }

    #[test]
    fn empty_is_absent() {
        let empty = [("UPSTREAM_URL", ""), ("FORWARD_HEADERS", ""), ("HTTP_PROXY", ""), ("CONDITION", "")];
        assert!(read(&[&MOCKA[..], &empty].concat()).is_ok());
        assert_eq!(
            read(&[&MOCKA[..], &[("NAME", "")]].concat()).unwrap_err(),
            "NAME holds nothing, expected a name such as mocka or v1"
        );
    }

    #[test]
    fn header_names_may_be_spaced() {
        let headers = [("FORWARD_HEADERS", "x-user-id, X-Request-Id")];
        let config = read(&[&MOCKA[..], &headers].concat()).unwrap();
        assert_eq!(config.forward, ["x-user-id", "x-request-id"]);
    }

    #[test]
    fn an_error_names_the_variable_and_what_it_held() {
        for (variable, held) in [
            ("NAME", "mock a"),
            ("VERSION", "v\n1"),
            ("LISTEN", "8080"),
            ("UPSTREAM_URL", "mockb:8000/mock"),
            ("UPSTREAM_URL", "https://mockb"),
            ("FORWARD_HEADERS", "x-user-id,,x-request-id"),
            ("HTTP_PROXY", "127.0.1.11:15001"),
            ("CONDITION", "dead"),
        ] {
            let error = read(&[&MOCKA[..], &[(variable, held)]].concat()).unwrap_err();
            let start = format!("{variable} holds {held:?}, expected ");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
