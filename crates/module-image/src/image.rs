use std::{collections::BTreeMap, io};

use serde::{Deserialize, Serialize};

use crate::{Annotations, Descriptor, Digest, Form, Module, form::media_type, layer, manifest::ImageManifest};

/// The layer's file names, by which `oras pull` writes them.
const MODULE_FILE: &str = "plugin.wasm";
const MODULE_CONFIG_FILE: &str = "runtime-config.json";
/// What a module asks of its runtime.
const MODULE_CONFIG: &[u8] = br#"{"type":"envoy_proxy"}"#;

/// An image of a module, whole: the same bytes from the same input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    /// Its form.
    pub form: Form,
    /// Its manifest. The manifest's digest is the image's.
    pub manifest: Blob,
    /// Its configuration.
    pub config: Blob,
    /// Its layers, in the manifest's order.
    pub layers: Vec<Blob>,
}

/// Some content, with the descriptor by which a registry knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Blob {
    /// Type, size and digest.
    pub descriptor: Descriptor,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Image {
    /// Puts a module into an image.
    ///
    /// # Errors
    /// None is known: packing writes to memory.
    pub fn build(module: &Module, annotations: &Annotations, form: Form) -> io::Result<Self> {
        let labels = annotations.to_map();
        let (manifest_type, config_type, layers, annotations) = match form {
            Form::Docker => {
                let layer = Packed::tar(module, media_type::DOCKER_LAYER)?;
                // Docker's manifests have no annotations: its images say it with labels.
                (media_type::DOCKER_MANIFEST, media_type::DOCKER_CONFIG, vec![layer], BTreeMap::new())
            }
            Form::Oci => {
                let layer = Packed::tar(module, media_type::OCI_LAYER)?;
                let variant = ("module.wasm.image/variant".to_owned(), "compat".to_owned());
                let annotations = labels.iter().map(|(key, value)| (key.clone(), value.clone())).chain([variant]);
                (media_type::OCI_MANIFEST, media_type::OCI_CONFIG, vec![layer], annotations.collect())
            }
            Form::Artifact => {
                let config = Packed::raw(MODULE_CONFIG, media_type::MODULE_CONFIG, MODULE_CONFIG_FILE);
                let layer = Packed::raw(module.bytes(), media_type::MODULE, MODULE_FILE);
                (media_type::OCI_MANIFEST, media_type::OCI_CONFIG, vec![config, layer], labels.clone())
            }
        };
        let config = Blob::of_json(config_type, &Config::of(labels, &layers))?;
        let layers: Vec<Blob> = layers.into_iter().map(|layer| layer.blob).collect();
        let manifest = ImageManifest {
            schema_version: 2,
            media_type: Some(manifest_type.to_owned()),
            config: Some(config.descriptor.clone()),
            layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
            annotations,
        };
        Ok(Self { form, manifest: Blob::of_json(manifest_type, &manifest)?, config, layers })
    }

    /// What a WasmPlugin's url can name it by.
    pub fn digest(&self) -> Digest {
        self.manifest.descriptor.digest
    }
}

impl Blob {
    fn new(media_type: &str, bytes: Vec<u8>) -> Self {
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            digest: Digest::of(&bytes),
            annotations: BTreeMap::new(),
        };
        Self { descriptor, bytes }
    }

    fn of_json(media_type: &str, json: &impl Serialize) -> io::Result<Self> {
        Ok(Self::new(media_type, serde_json::to_vec(json)?))
    }
}

/// A layer, and the digest of what it unpacks to.
struct Packed {
    blob: Blob,
    unpacked: Digest,
}

impl Packed {
    fn tar(module: &Module, media_type: &str) -> io::Result<Self> {
        let tar = layer::tar(module.bytes())?;
        Ok(Self { blob: Blob::new(media_type, layer::gzip(&tar)?), unpacked: Digest::of(&tar) })
    }

    fn raw(bytes: &[u8], media_type: &str, file: &str) -> Self {
        let mut blob = Blob::new(media_type, bytes.to_vec());
        blob.descriptor.annotations.insert(Annotations::TITLE.to_owned(), file.to_owned());
        Self { unpacked: blob.descriptor.digest, blob }
    }
}

/// What an image's configuration says about it: its labels, if it is a container image's. Asks `fetch` for it only then.
///
/// # Errors
/// Those of `fetch`, or the configuration cannot be read.
pub fn labels<E: From<serde_json::Error>>(
    config: &Descriptor,
    fetch: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<BTreeMap<String, String>, E> {
    if ![media_type::DOCKER_CONFIG, media_type::OCI_CONFIG].contains(&config.media_type.as_str()) {
        return Ok(BTreeMap::new());
    }
    let Labelled { config } = serde_json::from_slice(&fetch()?)?;
    Ok(config.and_then(|config| config.labels).unwrap_or_default())
}

#[derive(Deserialize)]
struct Labelled {
    config: Option<LabelsOrNone>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LabelsOrNone {
    labels: Option<BTreeMap<String, String>>,
}

/// An image's configuration. Istio does not read it; what copies images does, and Docker before it pulls one.
#[derive(Serialize)]
struct Config {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    config: Labels,
    rootfs: RootFs,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Labels {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: Vec<Digest>,
}

impl Config {
    fn of(labels: BTreeMap<String, String>, layers: &[Packed]) -> Self {
        let diff_ids = layers.iter().map(|layer| layer.unpacked).collect();
        Self {
            created: "1970-01-01T00:00:00Z",
            // Not wasm: Docker pulls for no platform but its own, and nobody else looks.
            architecture: "amd64",
            os: "linux",
            config: Labels { labels },
            rootfs: RootFs { r#type: "layers", diff_ids },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn build(form: Form) -> Image {
        let module = Module::parse(b"\0asm\x01\0\0\0and so on".to_vec()).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let annotations = Annotations {
            title: text("hash_tagging.wasm"),
            version: text("1.2.3"),
            source: text("https://example.com/lanes"),
            licenses: text("Apache-2.0"),
        };
        Image::build(&module, &annotations, form).unwrap()
    }

    fn json(blob: &Blob) -> Value {
        serde_json::from_slice(&blob.bytes).unwrap()
    }

    /// If these change, every image that users have pinned by a digest looks different from what they would build now. A
    /// new compressor may do that; nothing else should.
    #[test]
    fn the_digests_stay_what_they_are() {
        let digests = Form::ALL.map(|form| build(form).digest().to_string());
        let expected = [
            "sha256:e0824e575e8ed987c2a1fbdb8733db3c2f7ab1314e497a5b7a293ba564644783",
            "sha256:7fe946fe320af48ecad9af2201e758a0dafb702ff5393cdbff1a2dc3f25f9070",
            "sha256:2f4cdc9ba678964058d57b5bae07df3f8b1cb487342cfbfe8c2aababde56e784",
        ];
        assert_eq!(digests, expected);
    }

    #[test]
    fn a_manifest_names_exactly_the_blobs_of_its_image() {
        for form in Form::ALL {
            let image = build(form);
            let manifest: ImageManifest = serde_json::from_slice(&image.manifest.bytes).unwrap();

            assert_eq!(manifest.config.as_ref(), Some(&image.config.descriptor));
            assert!(manifest.layers.iter().eq(image.layers.iter().map(|layer| &layer.descriptor)));
            for Blob { descriptor, bytes } in image.layers.iter().chain([&image.config, &image.manifest]) {
                assert_eq!((descriptor.size, descriptor.digest), (bytes.len() as u64, Digest::of(bytes)), "{form}");
            }
        }
    }

    #[test]
    fn labels_are_those_of_a_container_image() {
        let config = build(Form::Docker).config;
        let read = |json: &str| labels(&config.descriptor, || Ok::<_, serde_json::Error>(json.into())).unwrap();

        assert_eq!(read(r#"{"config": {"Labels": {"a": "b"}}}"#), BTreeMap::from([("a".to_owned(), "b".to_owned())]));
        for none in [r#"{"config": {"Labels": null}}"#, r#"{"config": null}"#, "{}"] {
            assert_eq!(read(none), BTreeMap::new());
        }

        let other = Descriptor { media_type: media_type::MODULE_CONFIG.into(), ..config.descriptor };
        assert_eq!(labels(&other, || -> serde_json::Result<_> { panic!("fetched") }).unwrap(), BTreeMap::new());
    }

    #[test]
    fn what_it_says_about_itself_is_where_each_form_has_it() {
        for form in Form::ALL {
            let image = build(form);
            let labels = json(&image.config)["config"]["Labels"].clone();
            assert_eq!(labels["org.opencontainers.image.title"], "hash_tagging.wasm");
            assert_eq!(labels["org.opencontainers.image.version"], "1.2.3");
            assert_eq!(labels["org.opencontainers.image.source"], "https://example.com/lanes");
            assert_eq!(labels["org.opencontainers.image.licenses"], "Apache-2.0");

            let mut annotations = json(&image.manifest)["annotations"].clone();
            match form {
                Form::Docker => assert_eq!(annotations, Value::Null),
                Form::Oci => {
                    let variant = annotations.as_object_mut().unwrap().remove("module.wasm.image/variant");
                    assert_eq!(variant, Some("compat".into()));
                    assert_eq!(annotations, labels);
                }
                Form::Artifact => assert_eq!(annotations, labels),
            }
        }
    }
}
