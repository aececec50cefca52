use std::collections::BTreeMap;

/// What an image says about itself, under the keys of the OCI image specification's annotations.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Annotations {
    /// What it is called: `org.opencontainers.image.title`.
    pub title: Option<String>,
    /// Its version: `org.opencontainers.image.version`.
    pub version: Option<String>,
    /// Where its source is, a URL: `org.opencontainers.image.source`. GitHub's registry shows the image there.
    pub source: Option<String>,
    /// Its licences, an SPDX expression: `org.opencontainers.image.licenses`.
    pub licenses: Option<String>,
}

impl Annotations {
    pub(crate) const TITLE: &str = "org.opencontainers.image.title";

    pub(crate) fn to_map(&self) -> BTreeMap<String, String> {
        let all = [
            (Self::TITLE, &self.title),
            ("org.opencontainers.image.version", &self.version),
            ("org.opencontainers.image.source", &self.source),
            ("org.opencontainers.image.licenses", &self.licenses),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect()
    }
}
