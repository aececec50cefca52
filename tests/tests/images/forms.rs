//! What is pushed comes back the same, in every form, by every way.

use std::{fs, process::Command};

use module_image::{Annotations, Digest, Form, Image, Module, archive};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    built,
    registry::{Registry, skopeo},
};

use crate::{inspected, lanes, path, succeeded};

const MODULES: [&str; 4] =
    ["baggage_propagation.wasm", "hash_tagging.wasm", "hash_tagging_cookie.wasm", "trace_propagation.wasm"];

#[test]
fn every_filter_in_every_form_comes_back_byte_for_byte() {
    let registry = Registry::start().unwrap();
    for name in MODULES {
        let file = path(name);
        let bytes = fs::read(&file).unwrap();
        for form in Form::ALL.map(Form::name) {
            let reference = registry.reference(&format!("filters/{name}:{form}"));
            let push = ["push", &file, &reference, "--form", form, "--version", "1.2.3", "--licenses", "Apache-2.0"];
            let url = succeeded(&lanes(&push));
            assert_eq!(succeeded(&lanes(&push)), url, "the same again");
            let url = url.trim_end();
            let pinned = url.strip_prefix("oci://").unwrap();

            let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://{pinned}")]).unwrap();
            assert!(url.ends_with(&format!("/filters/{name}@{}", Digest::of(&raw))), "{url}");
            assert!(copied(pinned, form) == bytes, "{name} as {form}: skopeo has other bytes");
            let pulled = lanes(&["pull", url, "-o", "-"]);
            assert!(pulled.status.success() && pulled.stdout == bytes, "{name} as {form}: lanes pull has other bytes");

            let told = inspected(&reference);
            assert_eq!(told["istio"], json!({"verdict": "accepted", "form": form}));
            assert_eq!(told["module"], json!({"size": bytes.len(), "sha256": Digest::of(&bytes).hex()}));
            assert_eq!(told["image"]["url"], url);
            let annotations = &told["annotations"];
            assert_eq!(annotations["org.opencontainers.image.title"], name);
            assert_eq!(annotations["org.opencontainers.image.version"], "1.2.3");
            assert_eq!(annotations["org.opencontainers.image.licenses"], "Apache-2.0");
        }
    }
}

#[test]
fn a_module_can_come_from_standard_input_and_go_to_a_file() {
    let registry = Registry::start().unwrap();
    let reference = registry.reference("hash-tagging:1");
    let file = fs::File::open(path("hash_tagging.wasm")).unwrap();
    let push = Command::new(built("lanes").unwrap()).args(["push", "-", &reference]).stdin(file).output().unwrap();
    succeeded(&push);

    let folder = tempfile::tempdir().unwrap();
    let mut pull = Command::new(built("lanes").unwrap());
    let told = succeeded(&pull.args(["pull", &reference]).current_dir(folder.path()).output().unwrap());
    assert!(told.starts_with("hash-tagging.wasm: "), "{told}");
    assert!(fs::read(folder.path().join("hash-tagging.wasm")).unwrap() == fs::read(path("hash_tagging.wasm")).unwrap());
}

#[test]
fn an_archive_gives_the_same_digest_through_skopeo() {
    let registry = Registry::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(path("hash_tagging.wasm")).unwrap();
    for form in Form::ALL {
        let image = Image::build(&Module::parse(bytes.clone()).unwrap(), &Annotations::default(), form).unwrap();
        let file = folder.path().join(format!("{form}.tar"));
        fs::write(&file, archive(&image, "hash-tagging", "1.2.3").unwrap()).unwrap();
        let reference = registry.reference(&format!("hash-tagging:{form}"));
        let (from, to) = (format!("oci-archive:{}", file.display()), format!("docker://{reference}"));
        skopeo(&["copy", "--preserve-digests", "--dest-tls-verify=false", &from, &to]).unwrap();

        let told = inspected(&reference);
        assert_eq!(told["digest"], json!(image.digest()), "{form}");
        assert_eq!(told["istio"]["form"], form.name());
    }

    // What `docker load` reads, as skopeo reads it.
    let loaded = folder.path().join("loaded");
    let from = format!("docker-archive:{}:hash-tagging:1.2.3", folder.path().join("docker.tar").display());
    skopeo(&["copy", &from, &format!("dir:{}", loaded.display())]).unwrap();
}

/// The module in an image that skopeo has copied from the registry, as tar unpacks it.
fn copied(reference: &str, form: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let to = format!("dir:{}", folder.path().display());
    skopeo(&["copy", "--src-tls-verify=false", &format!("docker://{reference}"), &to]).unwrap();
    let manifest: Value = serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let digest = layers.last().unwrap()["digest"].as_str().unwrap();
    let layer = folder.path().join(digest.strip_prefix("sha256:").unwrap());
    if form == "artifact" {
        return fs::read(layer).unwrap();
    }
    let unpacked = Command::new("tar").arg("-xOzf").arg(layer).arg("plugin.wasm").output().unwrap();
    assert!(unpacked.status.success());
    unpacked.stdout
}
