//! Who may ask: this page, opened on this machine, and nobody else.
//!
//! A page of another origin can send requests to a server on loopback, and by a name that it controls (DNS rebinding) also read the
//! answers. So the host must be this machine's, the origin this page's, and a request that changes something must have a content
//! type that no form can send.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, Method, StatusCode,
        header::{CONTENT_TYPE, HOST, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

const JSON: &str = "application/json";
/// Tells where a request comes from, in browsers that send it.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(crate) async fn guard(request: Request, next: Next) -> Response {
    match refused(request.method(), request.headers()) {
        Some(because) => (StatusCode::FORBIDDEN, format!("{because}\n")).into_response(),
        None => next.run(request).await,
    }
}

/// Why a request is not served.
fn refused(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let value = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = value(HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Some("the page is opened as http://127.0.0.1 or http://localhost");
    }
    if value(ORIGIN).is_some_and(|origin| origin != format!("http://{host}")) {
        return Some("another page asks");
    }
    if method.is_safe() {
        return None;
    }
    if value(SITE).is_some_and(|site| site != "same-origin") {
        return Some("another page asks");
    }
    (value(CONTENT_TYPE) != Some(JSON)).then_some("what changes something is application/json")
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn is_served(method: Method, lines: &[(&'static str, &'static str)]) -> bool {
        let headers = lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        refused(&method, &headers.collect()).is_none()
    }

    #[test]
    fn the_host_is_this_machine() {
        for host in ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.11"] {
            assert!(is_served(Method::GET, &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "lanes.example.com:8000",
            "192.168.1.2:8000",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "[::2]",
        ] {
            assert!(!is_served(Method::GET, &[("host", host)]), "{host}");
        }
        assert!(!is_served(Method::GET, &[]));
    }

    #[test]
    fn the_origin_is_this_page() {
        let host = ("host", "127.0.0.1:8000");
        assert!(is_served(Method::GET, &[host, ("origin", "http://127.0.0.1:8000")]));
        for origin in
            ["null", "http://127.0.0.1:8001", "http://localhost:8000", "https://127.0.0.1:8000", "http://example.com"]
        {
            assert!(!is_served(Method::GET, &[host, ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_form_changes_nothing() {
        let host = ("host", "127.0.0.1:8000");
        assert!(is_served(Method::POST, &[host, ("content-type", JSON)]));
        assert!(!is_served(Method::POST, &[host]));
        for form in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            assert!(!is_served(Method::POST, &[host, ("content-type", form)]), "{form}");
        }
        let site = |site| is_served(Method::POST, &[host, ("content-type", JSON), ("sec-fetch-site", site)]);
        assert!(site("same-origin") && !site("cross-site") && !site("same-site"));
    }
}
