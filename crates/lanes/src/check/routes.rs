//! What enters the lane group.

use regex::bytes::RegexBuilder;

use super::{Findings, lanes::listed};
use crate::document::{Route, RouteMatch, Spec, StringMatch, Untagged};

/// What a regular expression may come to when it is compiled, in bytes: some of few letters come to gigabytes.
const MAX_REGEX: usize = 1 << 20;

impl Findings {
    pub(super) fn routes(&mut self, spec: &Spec) {
        match (&spec.gateway, spec.routes.is_empty()) {
            (Some(_), true) => {
                self.error("spec.routes", "expected at least one route: nothing would enter the lanes");
            }
            (None, false) => {
                self.error(
                    "spec.routes",
                    "without `gateway` nothing enters by routes: leave them out, or say which gateway",
                );
            }
            _ => {}
        }
        let mut takes_everything: Option<&Route> = None;
        for (index, route) in spec.routes.iter().enumerate() {
            let path = format!("spec.routes[{index}]");
            self.name(&format!("{path}.name"), &route.name);
            if spec.routes.iter().take(index).any(|other| other.name == route.name) {
                self.error(format!("{path}.name"), format!("there is a route `{}` before", route.name));
            }
            self.destination(&path, route, spec);
            self.traffic(&path, route, spec);
            if let Some(lane) = &route.lane {
                self.known_lane(&format!("{path}.lane"), lane, spec);
            }
            for (index, condition) in route.r#match.iter().enumerate() {
                self.condition(&format!("{path}.match[{index}]"), condition);
            }
            match takes_everything {
                Some(before) => {
                    self.warn(path, format!("never reached: the route `{}` takes every request", before.name))
                }
                None => takes_everything = Some(route).filter(|route| route.takes_everything(spec)),
            }
        }
    }

    /// Where the route leads: a service, or away.
    fn destination(&mut self, path: &str, route: &Route, spec: &Spec) {
        match (&route.service, &route.redirect) {
            (Some(reference), None) => {
                let Some(service) = self.known_service(&format!("{path}.service"), reference, spec) else { return };
                let ports = service.ports();
                if let Some(port) = route.port
                    && !ports.iter().any(|known| known.number == port)
                {
                    let ports: Vec<String> = ports.iter().map(|port| port.number.to_string()).collect();
                    let message =
                        format!("`{reference}` has no port {port} in spec.services: there are {}", listed(&ports));
                    self.error(format!("{path}.port"), message);
                }
            }
            (None, Some(_)) if route.lane.is_none() && route.port.is_none() => {}
            (None, Some(_)) => self.error(path, "a redirected request goes to no lane and no port: leave them out"),
            (Some(_), Some(_)) => self.error(path, "expected one of `service` and `redirect`, not both"),
            (None, None) => self.error(path, "expected `service`, or `redirect`"),
        }
    }

    fn condition(&mut self, path: &str, condition: &RouteMatch) {
        if condition.uri.is_none() && condition.headers.is_empty() && condition.method.is_none() {
            self.error(path, "expected `uri`, `headers` or `method`; leave `match` out for every request");
        }
        if let Some(uri) = &condition.uri {
            let path = format!("{path}.uri");
            self.text(&path, uri);
            if let StringMatch::Exact(text) | StringMatch::Prefix(text) = uri
                && !text.starts_with('/')
            {
                self.error(path, format!("`{text}` matches no path: paths start with `/`"));
            }
        }
        for (name, value) in &condition.headers {
            let path = format!("{path}.headers.{name}");
            self.header(&path, name);
            self.text(&path, value);
        }
        if let Some(method) = &condition.method {
            self.text(&format!("{path}.method"), method);
        }
    }

    fn text(&mut self, path: &str, text: &StringMatch) {
        let (StringMatch::Exact(content) | StringMatch::Prefix(content) | StringMatch::Regex(content)) = text;
        if content.is_empty() {
            self.error(path, "expected a text: Istio refuses an empty one");
        } else if let StringMatch::Regex(regex) = text
            && let Err(error) = RegexBuilder::new(regex).size_limit(MAX_REGEX).build()
        {
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.error(path, format!("`{regex}` is no regular expression: {reason}"));
        }
    }
}

impl Route {
    fn takes_everything(&self, spec: &Spec) -> bool {
        let is_by_tag = self.redirect.is_none() && self.lane.is_none() && spec.weights().is_none();
        if is_by_tag && spec.untagged() == Untagged::Reject {
            // Requests without a tag go on to the next route.
            return false;
        }
        let everything = |condition: &RouteMatch| {
            condition.headers.is_empty()
                && condition.method.is_none()
                && matches!(&condition.uri, Some(StringMatch::Prefix(prefix)) if prefix == "/")
        };
        self.r#match.is_empty() || self.r#match.iter().any(everything)
    }
}
