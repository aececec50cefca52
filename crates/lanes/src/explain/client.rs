//! Requests as clients send them.

use header_edit::HeaderList;

use crate::document::{Identity, LaneGroup};

/// Adds who the user is, at a place where the lane group looks for it.
pub fn identify(request: &mut HeaderList, path: &mut String, place: &Identity, user: &str) {
    match place {
        Identity { header: Some(name), .. } => request.push(name.to_ascii_lowercase(), user),
        Identity { cookie: Some(name), .. } => request.push("cookie", format!("{name}={user}")),
        Identity { claim: Some(name), .. } => request.set_claim(name, user),
        Identity { query, .. } => {
            let separator = if path.contains('?') { '&' } else { '?' };
            *path = format!("{path}{separator}{}={user}", query.clone().unwrap_or_default());
        }
    }
}

/// A host that the gateway serves.
pub fn served(group: &LaneGroup) -> String {
    let gateway = group.spec.gateway.as_ref();
    let first = gateway.and_then(|gateway| gateway.hosts.first()).map_or("*", String::as_str);
    first.replace('*', "gateway")
}
