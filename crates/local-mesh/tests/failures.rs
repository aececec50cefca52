//! What the caller is told when something cannot run. None of it needs an Envoy.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use std::{fs, net::TcpListener};

use local_mesh::{Envoy, EnvoyConfig, Mesh, MeshOptions, Network};
use tempfile::TempDir;

const PODS: &str = "\
pods:
- {name: gateway, envoy: gateway.yaml}
- {name: mocka-v1, envoy: mocka-v1.yaml, application: {LISTEN: \"127.0.0.1:PORT\"}}
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
    let root = walkthrough(&PODS.replace("PORT", &address.port().to_string()));
    let error = start(&root).unwrap_err().to_string();
    assert!(error.starts_with(&format!("pod mocka-v1 needs {address}: stop what uses it")), "{error}");
}

#[test]
fn an_application_that_ends_is_reported_with_its_log() {
    let root = walkthrough(&PODS.replace("PORT", "0"));
    let error = start(&root).unwrap_err().to_string();
    assert!(error.starts_with("the application of pod mocka-v1: it ended with exit status: 1; "), "{error}");
    assert!(error.contains("the end of its log:\n  | cp: "), "{error}");
}

#[test]
fn a_mistake_in_the_list_of_pods_is_shown() {
    let root = walkthrough("pods:\n- {name: gateway, envoi: gateway.yaml}\n");
    let error = start(&root).unwrap_err().to_string();
    assert!(error.starts_with("pods.yaml: ") && error.contains("envoi"), "{error}");
}

#[test]
fn without_modules_the_error_says_how_to_get_them() {
    let root = walkthrough(PODS);
    fs::remove_file(root.path().join("dist/filter.wasm")).unwrap();
    let error = start(&root).unwrap_err().to_string();
    assert!(error.ends_with("dist: run `make dist`"), "{error}");
}

/// With `cp` for an application: without arguments it complains and ends.
fn start(root: &TempDir) -> anyhow::Result<Mesh> {
    Mesh::start(MeshOptions {
        repo_root: root.path().into(),
        walkthrough: "example".into(),
        envoy: "/nowhere/envoy".into(),
        mock_service: "cp".into(),
        opentelemetry: "/nowhere".into(),
        modules: root.path().join("dist"),
        network: Network::Default,
    })
}

fn walkthrough(pods: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("envoy/example");
    fs::create_dir_all(&directory).unwrap();
    fs::create_dir(root.path().join("dist")).unwrap();
    fs::write(root.path().join("dist/filter.wasm"), "").unwrap();
    fs::write(directory.join("pods.yaml"), pods).unwrap();
    fs::write(directory.join("gateway.yaml"), ADMIN).unwrap();
    fs::write(directory.join("mocka-v1.yaml"), ADMIN).unwrap();
    root
}
