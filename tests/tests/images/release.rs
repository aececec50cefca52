//! What is rendered, and what is released, names images by their digests.

use std::{fs, process::Command};

use serde_json::Value;
use traffic_lanes_tests::{built, registry::Registry, repository};

use crate::{failed, lanes, path, succeeded};

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
    assert!(missing.contains("failed to find the digest (--no-resolve writes the url as it is)"), "{missing}");
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
    assert_eq!(succeeded(&check).lines().count(), 4 + 12 + 1, "modules, images, manifests");
    let unpack = Command::new("tar").args(["-xzf", "manifests.tar.gz"]).current_dir(folder.path()).status().unwrap();
    assert!(unpack.success());
    let tagging = fs::read_to_string(folder.path().join("user-segment/60-hash-tagging.yaml")).unwrap();
    let plugin: Value = serde_saphyr::from_str(&tagging).unwrap();
    let url = plugin["spec"]["url"].as_str().unwrap();
    assert!(url.ends_with(plugin["spec"]["sha256"].as_str().unwrap()), "{url}");
    let by_gateway_api =
        fs::read_to_string(folder.path().join("user-segment/gateway-api/60-hash-tagging.yaml")).unwrap();
    assert!(by_gateway_api.contains(url), "{by_gateway_api}");
    let pulled = lanes(&["pull", url, "-o", "-"]);
    assert!(pulled.status.success() && pulled.stdout == fs::read(folder.path().join("hash_tagging.wasm")).unwrap());
}
