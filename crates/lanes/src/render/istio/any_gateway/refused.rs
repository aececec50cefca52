//! What Gateway API cannot say, whoever implements it.

use crate::{
    document::{LaneGroup, Retries, Route, RouteMatch, StringMatch},
    finding::Findings,
    render::filter,
};

/// # Errors
/// The lane group asks for it.
pub(super) fn refuse(group: &LaneGroup, class: Option<&str>) -> anyhow::Result<()> {
    let spec = &group.spec;
    let mut findings = Findings::default();
    match &spec.gateway {
        None => findings
            .error("spec.gateway", "Gateway API is for a gateway, and the lane group has none: add `gateway: {}`"),
        Some(gateway) if gateway.reference.is_none() && class.is_none() => {
            let message = "nobody knows the class of the Gateway: name one that exists here, or say --class";
            findings.error("spec.gateway.ref", message);
        }
        Some(_) => {}
    }
    findings.http_routes(group, "Gateway API");
    findings.filters_of_any(group);
    if spec.retries == Retries::Never {
        let message = "no HTTPRoute of the standard channel says what is sent again: leave it out, and the gateway does as it does";
        findings.error("spec.retries", message);
    }
    if let Some((lane, _)) = spec.mirrored().next() {
        let message =
            format!("no HTTPRoute gives a copy another tag than its original's: lane {} cannot get copies", lane.name);
        findings.error("spec.lanes", message);
    }
    for (index, route) in spec.routes.iter().enumerate() {
        findings.route_of_any(&format!("spec.routes[{index}]"), route);
    }
    findings.refuse()
}

impl Findings {
    fn filters_of_any(&mut self, group: &LaneGroup) {
        let spec = &group.spec;
        if spec.users().is_some() {
            let message = format!(
                "Gateway API has no filter that assigns users: let a proxy in front write `{}`, and leave `assign` out",
                spec.route_header
            );
            self.error("spec.assign.users", message);
        } else if filter::baggage_strip(spec).is_some() {
            let message = "Gateway API has no filter that takes a tag out of the baggage: let a proxy in front do it, and say `mayChoose`";
            self.error("spec.clients", message);
        }
    }

    fn route_of_any(&mut self, at: &str, route: &Route) {
        if route.retries.is_some() {
            let message = "no HTTPRoute of the standard channel says what is sent again: leave it out";
            self.error(format!("{at}.retries"), message);
        }
        for (index, condition) in route.r#match.iter().enumerate() {
            let at = format!("{at}.match[{index}]");
            match &condition.uri {
                Some(StringMatch::Regex(_)) => {
                    let message = "which of two regular expressions wins is each implementation's own affair: say `exact` or `prefix`";
                    self.error(format!("{at}.uri.regex"), message);
                }
                Some(StringMatch::Prefix(prefix)) if !is_of_segments(route, condition, prefix) => {
                    let path = prefix.trim_end_matches('/');
                    let message = format!(
                        "the prefix of an HTTPRoute is of whole segments, a prefix here is any beginning: say `exact: {path}` and \
                        `prefix: {path}/` in two conditions of the route"
                    );
                    self.error(format!("{at}.uri.prefix"), message);
                }
                _ => {}
            }
            for (name, _) in condition.headers.iter().filter(|(_, value)| !matches!(value, StringMatch::Exact(_))) {
                let message = "a regular expression is each implementation's own affair: say `exact`";
                self.error(format!("{at}.headers.{name}"), message);
            }
        }
    }
}

/// Whether the route takes the path without the last `/` as well, as a prefix of whole segments does.
fn is_of_segments(route: &Route, condition: &RouteMatch, prefix: &str) -> bool {
    let is_exact = |path: &str| {
        route.r#match.iter().any(|other| {
            (&other.headers, &other.method) == (&condition.headers, &condition.method)
                && other.uri == Some(StringMatch::Exact(path.to_owned()))
        })
    };
    prefix == "/" || prefix.strip_suffix('/').is_some_and(|path| !path.ends_with('/') && is_exact(path))
}
