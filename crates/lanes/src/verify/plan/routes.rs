//! Requests for routes that name a lane.

use plugin_config::Refused;

use super::{Draft, Planner, REPEATS};
use crate::{
    document::{Route, RouteMatch, StringMatch},
    verify::check::Check,
};

impl Planner<'_> {
    pub(super) fn routes(&mut self) -> Result<(), Refused> {
        let check = Check::RoutesWithALane;
        let routes: Vec<&Route> = self.group.spec.routes.iter().filter(|route| route.lane.is_some()).collect();
        if routes.is_empty() {
            self.unchecked(check, "no route names a lane");
        }
        for route in routes {
            let conditions: Vec<Option<&RouteMatch>> = match route.r#match.as_slice() {
                [] => vec![None],
                conditions => conditions.iter().map(Some).collect(),
            };
            let drafts: Vec<Draft> = conditions.into_iter().filter_map(|condition| self.meeting(condition)).collect();
            let mut taken = false;
            for draft in drafts {
                let is_taken = self.explain(draft.clone())?.1.route.as_ref() == Some(&route.name);
                if is_taken && !taken {
                    taken = true;
                    self.add(check, format!("a client that route `{}` is for", route.name), draft, REPEATS)?;
                }
            }
            if !taken {
                self.unchecked(check, format!("no request is known that route `{}` takes", route.name));
            }
        }
        Ok(())
    }

    /// A request that meets the condition, if it asks for no regular expression.
    fn meeting(&self, condition: Option<&RouteMatch>) -> Option<Draft> {
        let mut draft = self.draft();
        let Some(condition) = condition else { return Some(draft) };
        if let Some(uri) = &condition.uri {
            draft.path = text(uri)?;
        }
        if let Some(method) = &condition.method {
            draft.method = text(method)?;
        }
        for (name, value) in &condition.headers {
            draft.headers.push(name.to_ascii_lowercase(), text(value)?);
        }
        Some(draft)
    }
}

/// The paths that a route asks for.
pub(super) fn paths(route: &Route) -> impl Iterator<Item = String> {
    route.r#match.iter().filter_map(|condition| text(condition.uri.as_ref()?))
}

fn text(expected: &StringMatch) -> Option<String> {
    match expected {
        StringMatch::Exact(text) | StringMatch::Prefix(text) => Some(text.clone()),
        StringMatch::Regex(_) => None,
    }
}
