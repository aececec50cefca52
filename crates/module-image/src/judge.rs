use thiserror::Error;

use crate::{
    Descriptor, Digest, Form, UnreadableManifest,
    form::media_type,
    layer::{NoPlugin, find_plugin},
    manifest::ImageManifest,
    module::{MAX_BYTES, is_valid_wasm_binary},
};

/// What Istio runs of an image.
#[derive(Debug)]
pub struct Accepted {
    /// The form that it takes the image for.
    pub form: Form,
    /// The module that it gets.
    pub module: Vec<u8>,
}

/// Why Istio runs no module of an image, so that the plug-in's `failStrategy` decides what happens to requests. The texts are
/// Istio's.
#[derive(Debug, Error)]
pub enum Refusal {
    /// There is no manifest to be read.
    #[error(transparent)]
    Manifest(#[from] UnreadableManifest),
    /// An index without an image that Istio would choose.
    #[error("could not fetch image: no child with platform linux/amd64 in index")]
    NoPlatform,
    /// An index, named by its digest: Istio compares that with the digest of the image that it chose.
    #[error("module has checksum {}, which does not match: {} (that is an index: name the image)", chosen.hex(), index.hex())]
    IndexByDigest {
        /// The image that Istio would choose.
        chosen: Digest,
        /// The index that was named.
        index: Digest,
    },
    /// A Docker image that holds no module.
    #[error("could not extract Wasm file from the image as Docker container {0}")]
    Docker(Unfit),
    /// Not a Docker image, and neither an OCI image nor an OCI artifact that holds a module.
    #[error(
        "the given image is in invalid format as an OCI image: could not parse as compat variant: {compat}; could not parse \
         as oci variant: {artifact}"
    )]
    Oci {
        /// Why it is no image in [`Form::Oci`].
        compat: Unfit,
        /// Why it is none in [`Form::Artifact`].
        artifact: Unfit,
    },
    /// It holds something else under a module's name.
    #[error("fetched Wasm binary is invalid")]
    NotWasm,
}

/// Why an image is not of a form.
#[derive(Debug, Error)]
pub enum Unfit {
    /// There is no last layer.
    #[error("number of layers must be greater than zero")]
    NoLayers,
    /// The last layer is something else.
    #[error("invalid media type {found} (expect {expected})")]
    MediaType {
        /// The last layer's.
        found: String,
        /// The form's.
        expected: &'static str,
    },
    /// The last layer holds no module.
    #[error("could not extract wasm binary: {0}")]
    NoPlugin(#[from] NoPlugin),
    /// An artifact has two.
    #[error("number of layers must be 2 but got {0}")]
    Layers(usize),
    /// Neither of the two is the module.
    #[error("could not find the layer of type {}", media_type::MODULE)]
    NoModule,
    /// Envoy Gateway's text; Istio would cut the module there and run what is left.
    #[error("wasm layer size exceeds maximum size {MAX_BYTES}")]
    TooLarge,
}

/// Does what Istio does with an image's manifest (`PrepareFetch` in `pkg/wasm/imagefetcher.go`, `getOrFetch` in `cache.go`):
/// tries the forms in its order and asks `fetch` for the layer that one needs.
///
/// # Errors
/// Those of `fetch`.
pub fn judge<E>(
    manifest: &ImageManifest,
    mut fetch: impl FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<Result<Accepted, Refusal>, E> {
    let fetched = if manifest.is_docker() {
        let module = from_last_layer(manifest, media_type::DOCKER_LAYER, &mut fetch)?;
        module.map(|module| (Form::Docker, module)).map_err(Refusal::Docker)
    } else {
        match from_last_layer(manifest, media_type::OCI_LAYER, &mut fetch)? {
            Ok(module) => Ok((Form::Oci, module)),
            Err(compat) => {
                let module = from_module_layer(manifest, &mut fetch)?;
                module.map(|module| (Form::Artifact, module)).map_err(|artifact| Refusal::Oci { compat, artifact })
            }
        }
    };
    Ok(fetched.and_then(|(form, module)| match is_valid_wasm_binary(&module) {
        true => Ok(Accepted { form, module }),
        false => Err(Refusal::NotWasm),
    }))
}

/// `extractDockerImage` and `extractOCIStandardImage`.
fn from_last_layer<E>(
    manifest: &ImageManifest,
    expected: &'static str,
    fetch: &mut impl FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<Result<Vec<u8>, Unfit>, E> {
    let Some(layer) = manifest.layers.last() else { return Ok(Err(Unfit::NoLayers)) };
    if layer.media_type != expected {
        return Ok(Err(Unfit::MediaType { found: layer.media_type.clone(), expected }));
    }
    Ok(find_plugin(&fetch(layer)?).map_err(Unfit::from))
}

/// `extractOCIArtifactImage`.
fn from_module_layer<E>(
    manifest: &ImageManifest,
    fetch: &mut impl FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<Result<Vec<u8>, Unfit>, E> {
    let layers = &manifest.layers;
    if layers.len() != 2 {
        return Ok(Err(Unfit::Layers(layers.len())));
    }
    match layers.iter().find(|layer| layer.media_type == media_type::MODULE) {
        None => Ok(Err(Unfit::NoModule)),
        Some(layer) if layer.size > MAX_BYTES => Ok(Err(Unfit::TooLarge)),
        Some(layer) => fetch(layer).map(Ok),
    }
}

#[cfg(test)]
mod tests;
