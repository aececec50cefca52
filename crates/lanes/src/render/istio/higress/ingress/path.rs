//! The paths that an Ingress can say.

use super::way::REMEDY;
use crate::{
    document::{Route, RouteMatch, StringMatch},
    finding::Findings,
};

/// The paths that a route takes. Of an Ingress' paths the exact one counts first, and the longer prefix before the shorter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Path {
    Any,
    /// This one.
    Exact(String),
    /// This one, and those below it: whole segments.
    Below(String),
}

impl Path {
    /// Whether it takes whatever the other does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Exact(one), Self::Exact(other)) => one == other,
            (Self::Below(one), Self::Exact(other) | Self::Below(other)) => {
                other.strip_prefix(one.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            (Self::Exact(_) | Self::Below(_), _) => false,
        }
    }
}

impl Findings {
    /// The paths of a route, each once; of what no Ingress can say, the reason is found instead.
    pub(super) fn paths(&mut self, at: &str, route: &Route) -> Vec<Path> {
        let mut paths: Vec<Path> = Vec::new();
        for (index, condition) in route.r#match.iter().enumerate() {
            let path = self.path(&format!("{at}.match[{index}]"), route, condition);
            paths.extend(path.filter(|path| !paths.contains(path)));
        }
        if route.r#match.is_empty() || paths.contains(&Path::Any) {
            return vec![Path::Any];
        }
        // Without those that `exact` says once more, to make a prefix of whole segments.
        let is_said = |path: &Path| paths.iter().any(|other| other != path && other.covers(path));
        paths.iter().filter(|path| !is_said(path)).cloned().collect()
    }

    fn path(&mut self, at: &str, route: &Route, condition: &RouteMatch) -> Option<Path> {
        if !condition.headers.is_empty() {
            let why = "a canary takes the place of the main Ingress' conditions on headers";
            self.error(format!("{at}.headers"), format!("{why}: {REMEDY}"));
        }
        if condition.method.is_some() {
            self.error(format!("{at}.method"), format!("an Ingress has conditions on host and path: {REMEDY}"));
        }
        if !condition.headers.is_empty() || condition.method.is_some() {
            return None;
        }
        match &condition.uri {
            None => Some(Path::Any),
            Some(StringMatch::Exact(path)) => Some(Path::Exact(path.clone())),
            Some(StringMatch::Prefix(prefix)) if prefix == "/" => Some(Path::Any),
            Some(StringMatch::Prefix(prefix)) => {
                let path = prefix.trim_end_matches('/');
                if *prefix == format!("{path}/") && route.has_exact(path) {
                    return Some(Path::Below(path.to_owned()));
                }
                let message = format!(
                    "the prefix of an Ingress is of whole segments, a prefix here is any beginning: say `exact: {path}` and `prefix: {path}/` \
                     in two conditions of the route, or {REMEDY}"
                );
                self.error(format!("{at}.uri.prefix"), message);
                None
            }
            Some(StringMatch::Regex(_)) => {
                self.error(format!("{at}.uri.regex"), format!("an Ingress has exact paths and prefixes: {REMEDY}"));
                None
            }
        }
    }
}

impl Route {
    /// Whether a request for just this path is taken, whatever else it has.
    fn has_exact(&self, path: &str) -> bool {
        let is_it = |one: &RouteMatch| {
            one.headers.is_empty()
                && one.method.is_none()
                && matches!(&one.uri, Some(StringMatch::Exact(exact)) if exact == path)
        };
        self.r#match.iter().any(is_it)
    }
}
