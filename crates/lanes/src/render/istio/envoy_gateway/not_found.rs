//! A route for what no other takes.
//!
//! Envoy Gateway has a filter disabled but where a route enables it (`patchRoute` in internal/xds/translator/wasm.go): a request that no
//! route takes before it has a tag would never get one.

use serde_json::{Value, json};

use super::super::{File, Stage, http_route::HttpRoute, resource::Kind};
use crate::{
    document::LaneGroup,
    render::{
        filter,
        rules::{self, Rule},
    },
};

const NOT_FOUND: u16 = 404;
const COMMENT: &str = "What no other route takes has this one, so that the filter runs: by the tag that it writes, the route is chosen once more.";

/// A rule for the requests that no rule takes, where there is a filter.
pub(in super::super) fn rest(group: &LaneGroup, rules: &[Rule]) -> Option<Rule> {
    let is_needed = !filter::at_gateway(&group.spec).is_empty() && !rules.iter().any(|rule| rule.conditions.is_empty());
    is_needed.then(rules::reject)
}

/// The filter of that rule in an HTTPRoute.
pub(in super::super) fn filter(group: &LaneGroup) -> Value {
    let to = json!({"group": "gateway.envoyproxy.io", "kind": Kind::HTTP_ROUTE_FILTER.name, "name": name(group)});
    json!({"type": "ExtensionRef", "extensionRef": to})
}

pub(super) fn file(group: &LaneGroup, routes: &[HttpRoute]) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Gateway, "48-not-found.yaml", COMMENT);
    let filters = json!([filter(group)]);
    if routes.iter().flat_map(|route| &route.rules).any(|rule| rule.get("filters") == Some(&filters)) {
        let spec = json!({"directResponse": {"statusCode": NOT_FOUND}});
        file.add(Kind::HTTP_ROUTE_FILTER, name(group), &group.metadata.namespace, spec)?;
    }
    Ok(file)
}

fn name(group: &LaneGroup) -> String {
    format!("{}-not-found", group.metadata.name)
}
