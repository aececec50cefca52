//! The page, and the policy by which a browser runs what is in it and nothing else.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

pub(crate) const PAGE: &str = include_str!("page.html");

/// Its own script and style by their hashes, and requests to where it came from.
pub(crate) fn policy() -> String {
    let hash = |tag: &str| {
        let inside = PAGE.split_once(&format!("<{tag}>")).and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        let digest = Sha256::digest(inside.map_or("", |(inside, _)| inside));
        format!("'sha256-{}'", BASE64_STANDARD.encode(digest))
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash("script"),
        hash("style")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_nobody_else() {
        for foreign in ["https://", "src=\"", "@import", "url(http"] {
            assert!(!PAGE.contains(foreign), "{foreign}");
        }
        // The namespace of SVG is a name, not a place, and a gateway is shown without its scheme.
        let places = PAGE.replace("http://www.w3.org/2000/svg", "").replace("'http://'", "");
        assert!(!places.contains("http://"));
        assert_eq!((PAGE.matches("<script>").count(), PAGE.matches("<style>").count()), (1, 1));
    }
}
