//! What the caller is told when something cannot run. None of it needs an Envoy.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use std::{fs, net::TcpListener};

use local_mesh::{Envoy, EnvoyConfig, Mesh, MeshOptions, Network, Programs};
use tempfile::TempDir;

const GROUP: &str = "\
apiVersion: trafficlanes.dev/v1alpha1
kind: LaneGroup
metadata: {name: example}
spec:
  mode: permissive
  gateway: {selector: {app: gateway}}
  services: [{name: mocka, port: 8000}]
  baseline: s1
  lanes: [{name: s1, labels: {version: v1}, services: [mocka]}]
  routes: [{name: all, service: mocka}]
";

const ADMIN: &str = "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}";

#[test]
fn an_envoy_that_ends_is_reported_at_once_with_its_log() {
    // Another program that does not like the options it is given.
    let config = EnvoyConfig::File("envoy.yaml".into());
    let error = Envoy::builder("ls", config).name("the envoy of pod a").start().unwrap_err().to_string();
    assert!(error.starts_with("the envoy of pod a: it ended with exit status: "), "{error}");
    assert!(error.contains("; the end of its log:\n  | ls: "), "{error}");
}

#[test]
fn a_binary_that_does_not_exist_is_named() {
    let error = Envoy::builder("/nowhere/envoy", EnvoyConfig::Text(ADMIN.into())).start().unwrap_err();
    assert_eq!(error.to_string(), "envoy: cannot run /nowhere/envoy");
}

#[test]
fn an_address_in_use_is_named_with_its_pod_before_anything_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let root = walkthrough(&address.to_string());
    let error = start(&root).unwrap_err().to_string();
    assert!(error.starts_with(&format!("pod mocka-s1 needs {address}: stop what uses it")), "{error}");
}

#[test]
fn an_application_that_ends_is_reported_with_its_log() {
    let root = walkthrough("127.0.0.1:0");
    let error = start(&root).unwrap_err().to_string();
    assert!(error.starts_with("the application of pod mocka-s1: it ended with exit status: 1; "), "{error}");
    assert!(error.contains("the end of its log:\n  | cp: "), "{error}");
}

#[test]
fn a_lane_group_that_is_not_valid_is_named() {
    let root = walkthrough("127.0.0.1:0");
    fs::write(root.path().join("manifests/example/lane-group.yaml"), GROUP.replace("baseline: s1", "baseline: s9"))
        .unwrap();
    let error = start(&root).unwrap_err().to_string();
    assert!(error.ends_with("manifests/example/lane-group.yaml holds no valid lane group"), "{error}");
}

#[test]
fn without_modules_the_error_says_how_to_get_them() {
    let root = walkthrough("127.0.0.1:0");
    fs::remove_file(root.path().join("dist/filter.wasm")).unwrap();
    let error = start(&root).unwrap_err().to_string();
    assert!(error.ends_with("dist: run `make dist`"), "{error}");
}

/// With `cp` for an application: without arguments it complains and ends.
fn start(root: &TempDir) -> anyhow::Result<Mesh> {
    let programs = Programs {
        envoy: "/nowhere/envoy".into(),
        modules: root.path().join("dist"),
        mock_service: "cp".into(),
        python: "/nowhere/application.py".into(),
        opentelemetry: "/nowhere".into(),
    };
    let mut options = MeshOptions::walkthrough(root.path(), "example", programs, Network::Default)?;
    options.environment.insert("LISTEN".to_owned(), "127.0.0.1:0".to_owned());
    Mesh::start(options)
}

/// A repository whose sidecar has its administration interface at `admin`.
fn walkthrough(admin: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let (envoy, manifests) = (root.path().join("envoy/example"), root.path().join("manifests/example"));
    for directory in [&envoy, &manifests, &root.path().join("dist")] {
        fs::create_dir_all(directory).unwrap();
    }
    fs::write(root.path().join("dist/filter.wasm"), "").unwrap();
    fs::write(manifests.join("lane-group.yaml"), GROUP).unwrap();
    fs::write(envoy.join("gateway.yaml"), ADMIN).unwrap();
    let (ip, port) = admin.split_once(':').unwrap();
    fs::write(
        envoy.join("mocka-s1.yaml"),
        ADMIN.replace("127.0.0.1", ip).replace("port_value: 0", &format!("port_value: {port}")),
    )
    .unwrap();
    root
}
