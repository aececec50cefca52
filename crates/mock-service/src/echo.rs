//! What each service of a chain was sent, for whoever looks for the place where a header is lost.

use axum::http::{HeaderMap, HeaderName, StatusCode};
use reqwest::Url;
use serde_json::{Map, Value, json};

/// A request with this header is answered with JSON. Every service passes it on.
pub(crate) const ECHO_HEADERS: HeaderName = HeaderName::from_static("x-echo-headers");

/// What the upstream answered.
type Called = reqwest::Result<(StatusCode, String)>;

/// One service, with the headers that it got; several lines are one value.
pub(crate) fn hop(name: &str, version: &str, ip: &str, incoming: &HeaderMap) -> Value {
    let value = |name: &HeaderName| {
        let lines = incoming.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
        lines.collect::<Vec<_>>().join(",")
    };
    let headers: Map<String, Value> =
        incoming.keys().map(|name| (name.to_string(), Value::String(value(name)))).collect();
    json!({"name": name, "version": version, "ip": ip, "headers": headers})
}

/// A list: the service itself, then those that its upstream lists. What is no such list is the `error` of the service.
pub(crate) fn answer(mut own: Value, called: Option<(&Url, Called)>) -> (StatusCode, String) {
    let (status, error, behind) = match called {
        None => (StatusCode::OK, None, Vec::new()),
        Some((url, Err(error))) => {
            let error = anyhow::Error::from(error.without_url());
            (StatusCode::BAD_GATEWAY, Some(format!("{url}: {error:#}")), Vec::new())
        }
        Some((url, Ok((status, body)))) => match serde_json::from_str(&body) {
            Ok(behind) => (if status.is_success() { StatusCode::OK } else { status }, None, behind),
            Err(_) => (status, Some(format!("{url}: {} {body}", status.as_u16())), Vec::new()),
        },
    };
    if let (Some(own), Some(error)) = (own.as_object_mut(), error) {
        own.insert("error".to_owned(), error.into());
    }
    let hops: Vec<Value> = [own].into_iter().chain(behind).collect();
    (status, Value::Array(hops).to_string())
}
