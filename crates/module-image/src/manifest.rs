use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use thiserror::Error;

use crate::{digest::Digest, form::media_type, index::Index};

/// What a registry has under a tag or a digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Manifest {
    /// One image.
    Image(ImageManifest),
    /// Images of which the platform chooses one.
    Index(Index),
}

/// An image's manifest: Docker's (version 2, schema 2) and OCI's have the same fields.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    pub(crate) schema_version: u32,
    /// What it is. OCI's may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The image's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Descriptor>,
    /// The layers, the lowest first.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// What it says about itself; Docker's has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A blob, as a manifest names it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// What is said about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// It is neither an image's manifest nor an index.
#[derive(Debug, Error)]
#[error("could not retrieve manifest: {0}")]
pub struct UnreadableManifest(#[from] serde_json::Error);

impl Manifest {
    /// Reads a manifest. Its own media type says what it is; without one, that it lists manifests.
    pub fn parse(bytes: &[u8]) -> Result<Self, UnreadableManifest> {
        let Kind { media_type, manifests } = serde_json::from_slice(bytes)?;
        let is_index = match media_type.as_deref() {
            Some(media_type) => [media_type::DOCKER_INDEX, media_type::OCI_INDEX].contains(&media_type),
            None => manifests.is_some(),
        };
        Ok(if is_index {
            Self::Index(serde_json::from_slice(bytes)?)
        } else {
            Self::Image(serde_json::from_slice(bytes)?)
        })
    }
}

impl ImageManifest {
    pub(crate) fn is_docker(&self) -> bool {
        self.media_type.as_deref() == Some(media_type::DOCKER_MANIFEST)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_tells_manifests_from_indices() {
        let parse = |json: &str| Manifest::parse(json.as_bytes()).unwrap();

        for json in [
            r#"{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}"#,
            r#"{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json", "manifests": []}"#,
            r#"{"schemaVersion": 2, "manifests": []}"#,
        ] {
            assert!(matches!(parse(json), Manifest::Index(_)), "{json}");
        }
        for json in [
            r#"{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "manifests": []}"#,
            r#"{"schemaVersion": 2, "layers": []}"#,
        ] {
            assert!(matches!(parse(json), Manifest::Image(_)), "{json}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_said() {
        let digest = r#"{"schemaVersion": 2, "layers": [{"mediaType": "m", "size": 1, "digest": "sha512:00"}]}"#;
        for (json, expected) in
            [("<html>", "expected value"), ("{}", "schemaVersion"), (digest, "`sha512:00` is no digest")]
        {
            let error = Manifest::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("could not retrieve manifest: ") && error.contains(expected), "{error}");
        }
    }
}
