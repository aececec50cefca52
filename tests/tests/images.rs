//! Images of the release modules at a real registry: pushed, read back by others, refused where Istio would refuse them.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use module_image::{Annotations, Digest, Form, Image, Module, archive};
use module_registry::{Access, Remote};
use serde_json::{Value, json};
use traffic_lanes_tests::{
    built, module,
    registry::{Registry, USER, skopeo},
    relay::Relay,
    repository, token_registry,
};

const MODULES: [&str; 3] = ["baggage_propagation.wasm", "hash_tagging.wasm", "trace_propagation.wasm"];
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MODULE_LAYER: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// `lanes` without credentials.
fn lanes(arguments: &[&str]) -> Output {
    let nobody = tempfile::tempdir().unwrap();
    traffic_lanes_tests::registry::lanes(nobody.path(), arguments).unwrap()
}

fn succeeded(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn path(name: &str) -> String {
    module(name).unwrap().display().to_string()
}

fn inspected(reference: &str) -> Value {
    serde_json::from_str(&succeeded(&lanes(&["inspect", reference, "--format", "json"]))).unwrap()
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

#[test]
fn what_is_rendered_names_images_by_their_digests() {
    let registry = Registry::start().unwrap();
    let pushed = |name: &str| {
        let (file, reference) =
            (path(&format!("{}.wasm", name.replace('-', "_"))), registry.reference(&format!("{name}:1")));
        succeeded(&lanes(&["push", &file, &reference])).trim_end().to_owned()
    };
    let urls = [pushed("hash-tagging"), pushed("trace-propagation")];
    let group = repository().join("manifests/user-segment/lane-group.yaml").display().to_string();
    let image = registry.reference("{module}:1");
    let rendered = succeeded(&lanes(&["render", "istio", &group, "--image", &image]));
    for url in &urls {
        let digest = url.split_once("@sha256:").unwrap().1;
        assert!(rendered.contains(&format!("  url: {url}\n  sha256: {digest}\n")), "{url}: {rendered}");
    }
    let as_it_is = succeeded(&lanes(&["render", "istio", &group, "--image", &image, "--no-resolve"]));
    assert!(as_it_is.contains(&format!("  url: {}\n", registry.reference("hash-tagging:1"))), "{as_it_is}");
    let missing = failed(&lanes(&["render", "istio", &group, "--image", &registry.reference("{module}:2")]));
    assert!(missing.contains("--image: failed to find the digest (--no-resolve writes the url as it is)"), "{missing}");
}

/// As the release workflow does it, to a registry of the test's own.
#[test]
fn a_release_holds_manifests_that_name_what_it_has_pushed() {
    let registry = Registry::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut release = Command::new(built("xtask").unwrap());
    release.args(["release", "--registry", &registry.reference("lanes"), "--output"]).arg(folder.path());
    let refused = Command::new(built("xtask").unwrap())
        .args(["release", "--registry", "127.0.0.1:1/lanes", "--tag", "v99.0.0", "--output"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        !refused.status.success() && fs::read_dir(folder.path()).unwrap().next().is_none(),
        "another version's tag"
    );
    succeeded(&release.output().unwrap());

    let check = Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(succeeded(&check).lines().count(), 3 + 9 + 1, "modules, images, manifests");
    let unpack = Command::new("tar").args(["-xzf", "manifests.tar.gz"]).current_dir(folder.path()).status().unwrap();
    assert!(unpack.success());
    let tagging = fs::read_to_string(folder.path().join("user-segment/50-hash-tagging.yaml")).unwrap();
    let plugin: Value = serde_saphyr::from_str(&tagging).unwrap();
    let url = plugin["spec"]["url"].as_str().unwrap();
    assert!(url.ends_with(plugin["spec"]["sha256"].as_str().unwrap()), "{url}");
    let pulled = lanes(&["pull", url, "-o", "-"]);
    assert!(pulled.status.success() && pulled.stdout == fs::read(folder.path().join("hash_tagging.wasm")).unwrap());
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

/// Whichever byte of a push is the last to arrive: the tag means what it meant, or the new image is whole.
#[test]
fn a_push_that_breaks_leaves_nothing_that_looks_whole() {
    let registry = Registry::start().unwrap();
    // A repository for each, of names of one length: what one push has left, the next need not send.
    let push = |relay: &Relay, number: usize| {
        let reference = format!("{}/hash-tagging-{number:02}:1", relay.address());
        lanes(&["push", &path("hash_tagging.wasm"), &reference, "--form", "artifact"])
    };
    let manifest = |number: usize| registry.manifest(&format!("hash-tagging-{number:02}"), "1").unwrap();
    let relay = Relay::start(registry.address(), u64::MAX).unwrap();
    succeeded(&push(&relay, 0));
    let (whole, bytes) = (manifest(0), relay.sent());

    let mut kept = 0;
    let limits =
        [0, 1, 100, 1000, bytes / 4, bytes / 2, bytes - 2500, bytes - 2000, bytes - 1500, bytes - 1000, bytes - 500];
    for (number, limit) in (1..).zip(limits) {
        let other = registry.reference(&format!("hash-tagging-{number:02}:1"));
        succeeded(&lanes(&["push", &path("baggage_propagation.wasm"), &other]));
        let before = manifest(number);

        let said = failed(&push(&Relay::start(registry.address(), limit).unwrap(), number));
        assert!(said.contains("failed to talk to 127.0.0.1:"), "{said}");
        let after = manifest(number);
        assert!(after == before || after == whole, "after {limit} of {bytes} bytes");
        kept += usize::from(after == before);

        let unbroken = Relay::start(registry.address(), u64::MAX).unwrap();
        succeeded(&push(&unbroken, number));
        assert!(manifest(number) == whole, "the next push mends it");
    }
    assert!(kept >= 8, "only {kept} of {} broke before the manifest had arrived", limits.len());
}

#[test]
fn credentials_are_those_of_docker() {
    let registry = Registry::start_for_one_user().unwrap();
    let (reference, file) = (registry.reference("private/hash-tagging:1"), path("hash_tagging.wasm"));
    let push = |config: &Path| traffic_lanes_tests::registry::lanes(config, &["push", &file, &reference]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = |json: Value| fs::write(folder.path().join("config.json"), json.to_string()).unwrap();

    let said = failed(&push(folder.path()));
    assert!(said.contains(&format!("wants other credentials: `docker login {}`", registry.address())), "{said}");

    let (user, password) = USER;
    config(json!({"auths": {registry.address().to_string(): {"username": user, "password": "wrong"}}}));
    assert!(failed(&push(folder.path())).contains("wants other credentials"));

    config(json!({"auths": {registry.address().to_string(): {"username": user, "password": password}}}));
    succeeded(&push(folder.path()));

    let helper = folder.path().join("docker-credential-lanes");
    let answer = json!({"ServerURL": "", "Username": user, "Secret": password});
    fs::write(&helper, format!("#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    config(json!({"credHelpers": {registry.address().to_string(): "lanes"}}));
    let search = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut inspect = Command::new(built("lanes").unwrap());
    inspect.args(["inspect", &reference]).env("DOCKER_CONFIG", folder.path()).env("PATH", search);
    succeeded(&inspect.stdin(Stdio::null()).output().unwrap());

    config(json!({"auths": {registry.address().to_string(): {"identitytoken": "t"}}}));
    assert!(failed(&push(folder.path())).contains("an identity token is configured, which is not supported"));
}

#[test]
fn a_token_is_asked_for_with_the_credentials() {
    let registry = token_registry::start().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let inspect = |user: &str, password: &str| {
        let config = json!({"auths": {&registry: {"username": user, "password": password}}});
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let reference = format!("{registry}/private:1");
        failed(&traffic_lanes_tests::registry::lanes(folder.path(), &["inspect", &reference]).unwrap())
    };
    let (user, password) = USER;
    assert!(inspect(user, password).ends_with("/private:1: there is no such image\n"), "let in, there is nothing");
    let said = inspect(user, "wrong");
    assert!(said.contains("does not accept the credentials") && said.ends_with("who are you?\n"), "{said}");
}

#[test]
fn what_cannot_be_carried_out_is_said() {
    let registry = Registry::start().unwrap();
    let file = path("hash_tagging.wasm");
    let missing = registry.reference("hash-tagging:none");
    assert!(failed(&lanes(&["inspect", &missing])).contains("/hash-tagging:none: there is no such image"));

    let nobody = Relay::start(registry.address(), 0).unwrap();
    let reference = format!("{}/hash-tagging:1", nobody.address());
    assert!(failed(&lanes(&["push", &file, &reference])).contains(": failed to talk to 127.0.0.1:"));

    let pinned = registry.reference(&format!("hash-tagging@{}", Digest::of(b"")));
    assert!(failed(&lanes(&["push", &file, &pinned])).contains("push to a tag"));

    let source = format!("{}/tests/images.rs", env!("CARGO_MANIFEST_DIR"));
    assert!(failed(&lanes(&["push", &source, &missing])).contains("it does not start with WebAssembly's magic bytes"));
    assert_eq!(registry.manifest("hash-tagging", "none").unwrap(), None);
}

/// 0.0.0.0 is this machine too, but does not look like it.
#[test]
fn without_tls_only_what_is_on_this_machine_is_spoken_to() {
    let registry = Registry::start().unwrap();
    let elsewhere = format!("0.0.0.0:{}/hash-tagging:1", registry.address().port());
    let file = path("hash_tagging.wasm");

    assert!(failed(&lanes(&["push", &file, &elsewhere])).contains("failed to talk to 0.0.0.0:"));
    assert_eq!(registry.manifest("hash-tagging", "1").unwrap(), None);

    succeeded(&lanes(&["push", &file, &elsewhere, "--plain-http"]));
    assert!(registry.manifest("hash-tagging", "1").unwrap().is_some());
}
