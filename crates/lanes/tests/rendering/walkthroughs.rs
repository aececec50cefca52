//! Every file of the walkthroughs is what the tool makes of their lane groups, byte for byte. `make render` writes them anew;
//! read the difference before you keep it.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) const LANE_GROUP: &str = "lane-group.yaml";
/// The folder beside the walkthroughs.
pub(crate) const OBSERVABILITY: &str = "observability";

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What a folder holds, by name.
fn contents(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let entries = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository().join(folder)).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn walkthroughs() -> Vec<String> {
    names("manifests").into_iter().filter(|name| name != OBSERVABILITY).collect()
}

/// Renders every walkthrough for `target`, and compares with the folder of that name, or one in it.
fn rederive(target: &str, folder: &str, options: &[&str]) {
    rederive_some(target, |_| true, |name| format!("{folder}/{name}"), options);
}

fn rederive_some(target: &str, is_rendered: impl Fn(&str) -> bool, folder: impl Fn(&str) -> String, options: &[&str]) {
    for name in walkthroughs().into_iter().filter(|name| is_rendered(name)) {
        let folder = folder(&name);
        let (group, kept) = (repository().join("manifests").join(&name), repository().join(&folder));
        let fresh = tempfile::tempdir().unwrap();
        let output = if env::var_os("UPDATE_GOLDEN").is_some() { &kept } else { fresh.path() };
        let mut lanes = Command::new(env!("CARGO_BIN_EXE_lanes"));
        lanes.args(["render", target]).arg(group.join(LANE_GROUP)).args(options).arg("--output").arg(output);
        let run = lanes.output().unwrap();
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
        let (mut kept, fresh) = (contents(&kept), contents(output));
        kept.remove(LANE_GROUP);
        assert!(!fresh.is_empty());
        assert!(kept.keys().eq(fresh.keys().filter(|name| *name != LANE_GROUP)), "{name}: {:?}", kept.keys());
        for (file, text) in kept {
            assert!(fresh.get(&file) == Some(&text), "{folder}/{file} is not what is rendered: run `make render`");
        }
    }
}

#[test]
fn the_manifests_are_rendered() {
    rederive("istio", "manifests", &[]);
}

/// But those whose lanes are told by the label of the calling pod, which no HTTPRoute sees.
#[test]
fn the_manifests_by_gateway_api_are_rendered() {
    let told_by_labels = ["strict", "strict-source-labels"];
    let folder = |name: &str| format!("manifests/{name}/gateway-api");
    rederive_some("istio", |name| !told_by_labels.contains(&name), folder, &["--routing", "gateway-api"]);
    for name in told_by_labels {
        assert!(!repository().join(folder(name)).exists());
        let group = repository().join("manifests").join(name).join(LANE_GROUP);
        let mut lanes = Command::new(env!("CARGO_BIN_EXE_lanes"));
        let refused = lanes.args(["render", "istio", "--routing", "gateway-api"]).arg(group).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(
            refused.status.code() == Some(2) && said.contains("spec.propagation: an HTTPRoute does not see"),
            "{said}"
        );
    }
}

/// At a Higress gateway: with a mesh behind, without one, and by Ingresses.
#[test]
fn the_manifests_for_higress_are_rendered() {
    let ways: [(&str, &str, &[&str]); 3] = [
        ("user-segment", "higress", &["--mesh", "istio"]),
        ("permissive", "higress", &[]),
        ("permissive", "higress-ingress", &["--ingress"]),
    ];
    for (walkthrough, folder, options) in ways {
        let folder = |name: &str| format!("manifests/{name}/{folder}");
        rederive_some("higress", |name| name == walkthrough, folder, options);
    }
}

/// At an Envoy Gateway, and at any gateway that implements Gateway API.
#[test]
fn the_manifests_for_gateways_of_gateway_api_are_rendered() {
    let ways: [(&str, &str, &[&str], [&str; 2]); 2] = [
        ("envoy-gateway", "envoy-gateway", &[], ["user-segment", "permissive"]),
        ("gateway-api", "any-gateway", &["--class", "example"], ["strict", "permissive"]),
    ];
    for (target, folder, options, walkthroughs) in ways {
        let folder = |name: &str| format!("manifests/{name}/{folder}");
        rederive_some(target, |name| walkthroughs.contains(&name), folder, options);
    }
}

#[test]
fn the_configurations_of_envoy_are_rendered() {
    rederive("envoy", "envoy", &["--modules", "../../dist"]);
}

#[test]
fn the_configurations_of_envoy_in_containers_are_rendered() {
    rederive("envoy", "envoy/compose", &["--host", "{service}-{lane}", "--modules", "/dist"]);
}

#[test]
fn nothing_else_is_there() {
    let walkthroughs = walkthroughs();
    assert_eq!(names("envoy/compose"), walkthroughs);
    let compose = ["compose", "compose.yaml"].map(str::to_owned);
    assert_eq!(names("envoy"), [&compose[..], &walkthroughs].concat());
}
