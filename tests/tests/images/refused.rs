//! What Istio would refuse, which no `lanes push` makes.

use std::{fs, process::Command};

use module_image::Digest;
use module_registry::{Access, Remote};
use serde_json::{Value, json};
use traffic_lanes_tests::registry::Registry;

use crate::{failed, inspected, lanes, path};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MODULE_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

#[test]
fn what_istio_would_refuse_is_refused_with_istios_reason() {
    const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
    const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

    let registry = Registry::start().unwrap();
    let bytes = fs::read(path("hash_tagging.wasm")).unwrap();
    let reason = |tag: &str| refused(&registry.reference(&format!("wrong:{tag}")));

    put(&registry, "one-layer", &[(MODULE_LAYER, &bytes)]);
    assert!(reason("one-layer").ends_with("could not parse as oci variant: number of layers must be 2 but got 1"));

    put(&registry, "cncf", &[("application/wasm", &bytes), ("application/json", b"[]")]);
    let expected = format!("could not find the layer of type {MODULE_LAYER}");
    assert!(reason("cncf").ends_with(&expected));

    put(&registry, "zstd", &[("application/vnd.oci.image.layer.v1.tar+zstd", b"zstd")]);
    let expected = format!("invalid media type application/vnd.oci.image.layer.v1.tar+zstd (expect {OCI_LAYER})");
    assert!(reason("zstd").contains(&expected));

    put(&registry, "other-file", &[(OCI_LAYER, &tar_gz("filter.wasm", &bytes))]);
    assert!(reason("other-file").contains("plugin.wasm not found in the archive"));

    put(&registry, "not-wasm", &[(OCI_LAYER, &tar_gz("plugin.wasm", b"#!/bin/sh\n"))]);
    assert_eq!(reason("not-wasm"), "fetched Wasm binary is invalid");

    put(&registry, "not-gzip", &[(OCI_LAYER, &bytes)]);
    assert!(reason("not-gzip").contains("failed to parse layer as tar.gz"));

    let layer = tar_gz("plugin.wasm", &bytes);
    put_as(&registry, "docker-with-oci-layer", DOCKER, DOCKER_CONFIG, &[(OCI_LAYER, &layer)]);
    assert!(
        reason("docker-with-oci-layer").starts_with("could not extract Wasm file from the image as Docker container ")
    );

    put(&registry, "right", &[(OCI_LAYER, &layer)]);
    assert_eq!(inspected(&registry.reference("wrong:right"))["istio"]["verdict"], "accepted");
}

/// Istio takes the image for linux/amd64 of an index, on whatever node; and compares its digest with the one that was named.
#[test]
fn an_index_is_fine_by_tag_but_not_by_digest() {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";

    let registry = Registry::start().unwrap();
    let bytes = fs::read(path("hash_tagging.wasm")).unwrap();
    let image = put(&registry, "image", &[(OCI_LAYER, &tar_gz("plugin.wasm", &bytes))]);
    let size = registry.manifest("wrong", "image").unwrap().unwrap().len();
    let index = |tag: &str, architectures: &[&str]| {
        let entry = |architecture: &&str| {
            let platform = json!({"os": "linux", "architecture": architecture});
            json!({"mediaType": OCI_MANIFEST, "size": size, "digest": image, "platform": platform})
        };
        let manifests: Vec<Value> = architectures.iter().map(entry).collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        registry.put_manifest("wrong", tag, &index).unwrap()
    };

    let both = index("both", &["arm64", "amd64"]);
    let told = inspected(&registry.reference("wrong:both"));
    assert_eq!((&told["digest"], &told["image"]["digest"]), (&json!(both), &json!(image)));
    assert_eq!(told["image"]["url"], format!("oci://{}/wrong@{image}", registry.address()));
    let reason = refused(&registry.reference(&format!("wrong@{both}")));
    assert!(reason.contains(&format!("module has checksum {}, which does not match: {}", image.hex(), both.hex())));

    index("arm64", &["arm64"]);
    let reason = refused(&registry.reference("wrong:arm64"));
    assert_eq!(reason, "could not fetch image: no child with platform linux/amd64 in index");

    let resolve = |image: &str| {
        let reference = registry.reference(image).parse().unwrap();
        Remote::new(reference, Access::default()).unwrap().resolve().map_err(|error| format!("{error:#}"))
    };
    assert_eq!(resolve("wrong:image"), Ok(image));
    assert_eq!(resolve("wrong:both"), Ok(image), "what a WasmPlugin can name");
    assert!(resolve("wrong:arm64").unwrap_err().contains("no child with platform linux/amd64"));
    assert!(resolve("wrong:none").unwrap_err().ends_with("/wrong:none: there is no such image"));
}

/// The reason for which `lanes inspect` says that Istio would refuse it.
fn refused(reference: &str) -> String {
    let output = lanes(&["inspect", reference, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["istio"]["verdict"], &told["module"]), (&json!("refused"), &Value::Null));
    let reason = told["istio"]["reason"].as_str().unwrap().to_owned();

    let text = lanes(&["inspect", reference]);
    assert_eq!(text.status.code(), Some(1));
    assert!(String::from_utf8(text.stdout).unwrap().contains(&format!("istio    refuses it: {reason}\n")));
    assert!(failed(&lanes(&["pull", reference, "-o", "-"])).contains(&reason), "not so in `lanes pull`");
    reason
}

/// Puts an image with these layers, each a media type and a content.
fn put(registry: &Registry, tag: &str, layers: &[(&str, &[u8])]) -> Digest {
    put_as(registry, tag, OCI_MANIFEST, OCI_CONFIG, layers)
}

fn put_as(registry: &Registry, tag: &str, manifest: &str, config: &str, layers: &[(&str, &[u8])]) -> Digest {
    let blob = |(media_type, bytes): &(&str, &[u8])| registry.put_blob("wrong", media_type, bytes).unwrap();
    let layers: Vec<Value> = layers.iter().map(blob).collect();
    let config = blob(&(config, b"{}"));
    let manifest = json!({"schemaVersion": 2, "mediaType": manifest, "config": config, "layers": layers});
    registry.put_manifest("wrong", tag, &manifest).unwrap()
}

/// A gzipped tar with one file, made by tar.
fn tar_gz(name: &str, content: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let packed = Command::new("tar").args(["-czf", "-", "-C"]).arg(folder.path()).arg(name).output().unwrap();
    assert!(packed.status.success());
    packed.stdout
}
