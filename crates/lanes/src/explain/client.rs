//! Requests as clients send them.

use header_edit::HeaderList;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::document::{Identity, LaneGroup};

/// Adds who the user is, at a place where the lane group looks for it.
pub fn identify(request: &mut HeaderList, path: &mut String, place: &Identity, user: &str) {
    match place {
        Identity { header: Some(name), .. } => request.push(name.to_ascii_lowercase(), user),
        Identity { cookie: Some(name), .. } => request.push("cookie", format!("{name}={user}")),
        Identity { claim: Some(name), .. } => request.set_claim(name, user),
        Identity { query, .. } => {
            let separator = if path.contains('?') { '&' } else { '?' };
            // As a client must: the filter decodes it, and a plus or an ampersand would mean something else.
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            *path = format!("{path}{separator}{}={}", encoded(query.as_deref().unwrap_or_default()), encoded(user));
        }
    }
}

/// A host that the gateway serves.
pub fn served(group: &LaneGroup) -> String {
    let gateway = group.spec.gateway.as_ref();
    let first = gateway.and_then(|gateway| gateway.hosts.first()).map_or("*", String::as_str);
    first.replace('*', "gateway")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_in_a_query_is_encoded() {
        let (mut request, mut path) = (HeaderList::default(), "/mock?a=b".to_owned());
        let place = Identity { query: Some("uid".to_owned()), ..Identity::default() };
        identify(&mut request, &mut path, &place, "bob+1&x=#@example.com");
        assert_eq!(path, "/mock?a=b&uid=bob%2B1%26x%3D%23%40example%2Ecom");
    }
}
