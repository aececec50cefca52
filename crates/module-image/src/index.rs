use serde::Deserialize;

use crate::manifest::Descriptor;

/// An index: images of which the platform chooses one. BuildKit makes one also for a single platform.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Index {
    manifests: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
struct Platform {
    architecture: String,
    os: String,
}

impl Index {
    /// The image that Istio takes, on every node: the first for linux/amd64, or for no platform at all
    /// (`childByPlatform` in go-containerregistry's `pkg/v1/remote/index.go`).
    pub fn chosen(&self) -> Option<&Descriptor> {
        let is_fit = |entry: &&Entry| match &entry.platform {
            Some(Platform { architecture, os }) => (os.as_str(), architecture.as_str()) == ("linux", "amd64"),
            None => true,
        };
        self.manifests.iter().find(is_fit).map(|entry| &entry.descriptor)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Digest;

    fn chosen(platforms: &[Value]) -> Option<u64> {
        let entry = |(number, platform): (usize, &Value)| {
            let digest = Digest::of(b"").to_string();
            json!({"mediaType": "m", "size": number, "digest": digest, "platform": platform})
        };
        let manifests: Vec<Value> = platforms.iter().enumerate().map(entry).collect();
        let index: Index = serde_json::from_value(json!({ "manifests": manifests })).unwrap();
        index.chosen().map(|descriptor| descriptor.size)
    }

    #[test]
    fn linux_on_amd64_is_chosen_and_what_names_no_platform_counts_as_that() {
        let amd64 = json!({"os": "linux", "architecture": "amd64"});
        let arm64 = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
        let attestation = json!({"os": "unknown", "architecture": "unknown"});

        assert_eq!(chosen(&[arm64.clone(), amd64.clone(), amd64]), Some(1));
        assert_eq!(chosen(&[arm64.clone(), Value::Null]), Some(1));
        assert_eq!(chosen(&[arm64, attestation]), None);
        assert_eq!(chosen(&[]), None);
    }
}
