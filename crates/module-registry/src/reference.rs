use std::{fmt, net::Ipv4Addr, str::FromStr};

use module_image::Digest;
use oci_spec::distribution::{ParseError, Reference as Name};
use thiserror::Error;

/// The scheme of a WasmPlugin's url.
const SCHEME: &str = "oci://";

/// The name of an image: `ghcr.io/acme/hash-tagging:1.0`, or by its digest `ghcr.io/acme/hash-tagging@sha256:…`. With
/// `oci://` before it, as a WasmPlugin's url has it, it is the same. Without a tag the tag is `latest`; without a registry
/// it is Docker's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference(Name);

/// The text names no image.
#[derive(Debug, Error)]
#[error("`{text}` names no image: {because}; expected REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST")]
pub struct NotAReference {
    text: String,
    because: ParseError,
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let name = text.strip_prefix(SCHEME).unwrap_or(text);
        name.parse().map(Self).map_err(|because| NotAReference { text: text.to_owned(), because })
    }
}

impl Reference {
    /// The registry's host, with the port if there is one.
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// The repository's last part, such as `hash-tagging`.
    pub fn name(&self) -> &str {
        self.0.repository().rsplit('/').next().unwrap_or_default()
    }

    /// The url of the image with this digest in the same repository, for a WasmPlugin: it always means the same bytes.
    pub fn url_of(&self, digest: Digest) -> String {
        format!("{SCHEME}{}/{}@{digest}", self.0.registry(), self.0.repository())
    }

    /// Whether it names content, which is always the same, and not a tag.
    pub fn is_pinned(&self) -> bool {
        self.0.digest().is_some()
    }

    /// Whether the registry is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.registry().rsplit_once(':').map_or(self.registry(), |(host, _)| host);
        host == "localhost" || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
    }

    /// The repository within the registry.
    pub(crate) fn repository(&self) -> &str {
        self.0.repository()
    }

    /// The host to talk to, with the port if there is one: Docker's registry has another than its name says.
    pub(crate) fn host(&self) -> &str {
        self.0.resolve_registry()
    }

    /// What the manifest is asked for by.
    pub(crate) fn tag_or_digest(&self) -> &str {
        self.0.digest().or(self.0.tag()).unwrap_or("latest")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_wasm_plugin_names_is_a_reference_too() {
        let plain = reference("ghcr.io/acme/filters/hash-tagging:1.0");

        assert_eq!(reference("oci://ghcr.io/acme/filters/hash-tagging:1.0"), plain);
        assert_eq!((plain.registry(), plain.name()), ("ghcr.io", "hash-tagging"));
        assert!(!plain.is_pinned());
    }

    #[test]
    fn a_url_by_digest_is_a_pinned_reference() {
        let digest = Digest::of(b"manifest");
        let url = reference("localhost:5000/hash-tagging:1.0").url_of(digest);

        assert_eq!(url, format!("oci://localhost:5000/hash-tagging@{digest}"));
        assert!(reference(&url).is_pinned());
    }

    #[test]
    fn what_is_left_out_is_dockers() {
        assert_eq!(reference("acme/hash-tagging").to_string(), "docker.io/acme/hash-tagging:latest");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for registry in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3:1"] {
            assert!(reference(&format!("{registry}/a:b")).is_loopback(), "{registry}");
        }
        for registry in ["ghcr.io", "localhost.example.com:5000", "10.0.0.1:5000", "127.example.com"] {
            assert!(!reference(&format!("{registry}/a:b")).is_loopback(), "{registry}");
        }
    }

    #[test]
    fn what_names_no_image_is_refused() {
        for text in ["", "oci://", "ghcr.io/Acme:1", "ghcr.io/acme@sha256:12", "https://ghcr.io/acme:1"] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` names no image: ")), "{error}");
        }
    }
}
