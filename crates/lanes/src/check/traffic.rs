//! What routes do besides choosing a lane.

use super::Findings;
use crate::document::{Cors, HeaderEdits, Mirror, Redirect, Rewrite, Route, RouteRetries, Spec};

/// What Istio and Gateway API allow.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

impl Findings {
    pub(super) fn traffic(&mut self, path: &str, route: &Route, spec: &Spec) {
        if let Some(retries) = &route.retries {
            self.route_retries(&format!("{path}.retries"), retries);
        }
        if let Some(rewrite) = &route.rewrite {
            self.rewrite(&format!("{path}.rewrite"), rewrite);
        }
        if let Some(redirect) = &route.redirect {
            self.redirect(&format!("{path}.redirect"), redirect);
            let others =
                [route.rewrite.is_some(), route.mirror.is_some(), route.timeout.is_some(), route.retries.is_some()];
            if others.contains(&true) {
                self.error(
                    path,
                    "a redirected request goes nowhere: leave `rewrite`, `mirror`, `timeout` and `retries` out",
                );
            }
        }
        if let Some(cors) = &route.cors {
            self.cors(&format!("{path}.cors"), cors);
        }
        if let Some(headers) = &route.headers {
            for (direction, edits) in [("request", &headers.request), ("response", &headers.response)] {
                self.header_edits(&format!("{path}.headers.{direction}"), edits, spec);
            }
        }
        if let Some(mirror) = &route.mirror {
            self.mirror(&format!("{path}.mirror"), mirror);
        }
    }

    fn route_retries(&mut self, path: &str, retries: &RouteRetries) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b',');
        if let Some(on) = &retries.retry_on
            && (on.is_empty() || !on.bytes().all(allowed))
        {
            let message =
                format!("`{on}` is no list of conditions: expected such as `connect-failure,refused-stream,503`");
            self.error(format!("{path}.retryOn"), message);
        }
    }

    fn rewrite(&mut self, path: &str, rewrite: &Rewrite) {
        if rewrite.uri.is_none() && rewrite.authority.is_none() {
            self.error(path, "expected `uri` or `authority`");
        }
        self.absolute(&format!("{path}.uri"), rewrite.uri.as_deref());
        if let Some(authority) = &rewrite.authority {
            self.domain(&format!("{path}.authority"), authority);
        }
    }

    fn redirect(&mut self, path: &str, redirect: &Redirect) {
        let Redirect { uri, authority, scheme, port, code } = redirect;
        if uri.is_none() && authority.is_none() && scheme.is_none() && port.is_none() {
            self.error(path, "expected `uri`, `authority`, `scheme` or `port`: the client would be sent where it is");
        }
        self.absolute(&format!("{path}.uri"), uri.as_deref());
        if let Some(authority) = authority {
            self.domain(&format!("{path}.authority"), authority);
        }
        if let Some(scheme) = scheme.as_ref().filter(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
            self.error(format!("{path}.scheme"), format!("expected `http` or `https`, not `{scheme}`"));
        }
        if let Some(port) = port {
            self.port(&format!("{path}.port"), *port);
        }
        if !REDIRECTS.contains(code) {
            self.error(format!("{path}.code"), format!("expected 301, 302, 303, 307 or 308, not {code}"));
        }
    }

    fn cors(&mut self, path: &str, cors: &Cors) {
        if cors.allow_origins.is_empty() {
            self.error(
                format!("{path}.allowOrigins"),
                "expected at least one origin, such as `https://shop.example.com`",
            );
        }
        for (index, origin) in cors.allow_origins.iter().enumerate() {
            let host = origin.split_once("://").map(|(_, host)| host);
            if host.is_none_or(|host| host.is_empty() || host.contains(['/', '*', ' '])) {
                let message =
                    format!("`{origin}` is no origin: a scheme and a host, such as `https://shop.example.com`");
                self.error(format!("{path}.allowOrigins[{index}]"), message);
            }
        }
        for (field, names) in [
            ("allowMethods", &cors.allow_methods),
            ("allowHeaders", &cors.allow_headers),
            ("exposeHeaders", &cors.expose_headers),
        ] {
            for (index, name) in names.iter().enumerate() {
                self.token(&format!("{path}.{field}[{index}]"), name);
            }
        }
        if cors.max_age.as_ref().is_some_and(|age| age.milliseconds() % 1000 != 0) {
            self.error(format!("{path}.maxAge"), "browsers are told whole seconds");
        }
    }

    fn header_edits(&mut self, path: &str, edits: &HeaderEdits, spec: &Spec) {
        let named = |field: &'static str, names: Vec<&String>| {
            names.into_iter().map(move |name| (field, name.clone())).collect::<Vec<_>>()
        };
        let names = [
            named("set", edits.set.keys().collect()),
            named("add", edits.add.keys().collect()),
            named("remove", edits.remove.iter().collect()),
        ];
        for (field, name) in names.into_iter().flatten() {
            let path = format!("{path}.{field}.{name}");
            self.header(&path, &name);
            if name.eq_ignore_ascii_case(&spec.route_header) {
                self.error(path, "the route header is what lanes are told by: `lane` on the route sets it");
            }
        }
        for (name, value) in edits.set.iter().chain(&edits.add) {
            if value.bytes().any(|byte| byte.is_ascii_control()) {
                self.error(format!("{path}.{name}"), "a header's value has no control characters");
            }
        }
    }

    fn mirror(&mut self, path: &str, mirror: &Mirror) {
        self.name(&format!("{path}.service"), &mirror.service);
        if let Some(namespace) = &mirror.namespace {
            self.name(&format!("{path}.namespace"), namespace);
        }
        self.port(&format!("{path}.port"), mirror.port);
        if !(1..=100).contains(&mirror.percent) {
            self.error(format!("{path}.percent"), format!("{} is not between 1 and 100", mirror.percent));
        }
    }

    fn absolute(&mut self, path: &str, uri: Option<&str>) {
        if let Some(uri) = uri.filter(|uri| !uri.starts_with('/')) {
            self.error(path, format!("`{uri}` is no path: paths start with `/`"));
        }
    }
}
