use std::io;

use serde::Serialize;
use tar::Builder;

use crate::{Blob, Descriptor, Form, Image, form::media_type, layer::append};

/// An image as one file: a tar with an OCI image layout, which skopeo, podman, crane and oras read. One in [`Form::Docker`]
/// can be given to `docker load` as well. The digest stays the same on the way to a registry.
///
/// `name` is what the image is called, `tag` its tag. The same bytes from the same input.
///
/// # Errors
/// None is known: packing writes to memory.
pub fn archive(image: &Image, name: &str, tag: &str) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    append(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    append(&mut tar, "index.json", &serde_json::to_vec(&Index::of(image, tag))?)?;
    if image.form == Form::Docker {
        append(&mut tar, "manifest.json", &serde_json::to_vec(&[ForDockerLoad::of(image, name, tag)])?)?;
    }
    for blob in [&image.manifest, &image.config].into_iter().chain(&image.layers) {
        append(&mut tar, &path(blob), &blob.bytes)?;
    }
    tar.into_inner()
}

/// The layout's list of images: of this one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: &'static str,
    manifests: [Descriptor; 1],
}

impl Index {
    fn of(image: &Image, tag: &str) -> Self {
        let mut manifest = image.manifest.descriptor.clone();
        manifest.annotations.insert("org.opencontainers.image.ref.name".to_owned(), tag.to_owned());
        Self { schema_version: 2, media_type: media_type::OCI_INDEX, manifests: [manifest] }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ForDockerLoad {
    config: String,
    repo_tags: [String; 1],
    layers: Vec<String>,
}

impl ForDockerLoad {
    fn of(image: &Image, name: &str, tag: &str) -> Self {
        let layers = image.layers.iter().map(path).collect();
        Self { config: path(&image.config), repo_tags: [format!("{name}:{tag}")], layers }
    }
}

fn path(blob: &Blob) -> String {
    format!("blobs/sha256/{}", blob.descriptor.digest.hex())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use serde_json::Value;

    use super::*;
    use crate::{Annotations, Digest, Module};

    fn files(form: Form) -> Vec<(String, Vec<u8>)> {
        let module = Module::parse(b"\0asm\x01\0\0\0".to_vec()).unwrap();
        let image = Image::build(&module, &Annotations::default(), form).unwrap();
        let archive = archive(&image, "hash-tagging", "1.2.3").unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        };
        archive.entries().unwrap().map(read).collect()
    }

    #[test]
    fn every_blob_is_where_its_digest_says() {
        for form in Form::ALL {
            let files = files(form);
            let blobs = files.iter().filter_map(|(path, content)| Some((path.strip_prefix("blobs/sha256/")?, content)));
            let right = blobs.map(|(hex, content)| assert_eq!(hex, Digest::of(content).hex())).count();
            assert_eq!(right, if form == Form::Artifact { 4 } else { 3 });
        }
    }

    #[test]
    fn only_a_docker_image_is_for_docker_load() {
        for form in Form::ALL {
            let files = files(form);
            let manifest = files.iter().find(|(path, _)| path == "manifest.json");
            assert_eq!(manifest.is_some(), form == Form::Docker);
            if let Some((_, json)) = manifest {
                let json: Value = serde_json::from_slice(json).unwrap();
                assert_eq!(json[0]["RepoTags"][0], "hash-tagging:1.2.3");
            }
        }
    }
}
