//! `lanes preflight`, as a user calls it.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{path, read};

const GROUP: &str = "../../manifests/user-segment/lane-group.yaml";
const HEALTHY: &str = "tests/preflight/healthy.yaml";

fn preflight(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanes"));
    command.args(["preflight", path(GROUP).to_str().unwrap()]).args(arguments);
    command
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    told(preflight(arguments).output().unwrap())
}

/// A program in the place of kubectl.
fn kubectl(folder: &TempDir, script: &str) -> String {
    let path = folder.path().join("kubectl");
    fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn state(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_healthy_cluster_is_well_in_every_section() {
    let (status, stdout, _) = run(&["--cluster-state", path(HEALTHY).to_str().unwrap()]);
    assert_eq!(status, 0);
    for section in ["gateway", "services", "pods", "other resources", "mesh", "versions"] {
        assert!(stdout.contains(&format!("√ {section}: all is well\n")), "{stdout}");
    }
    assert!(stdout.ends_with("\nok: nothing in the cluster would break the lane group\n"), "{stdout}");
}

#[test]
fn a_finding_says_who_what_and_where_to_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let broken = read(HEALTHY).replace("clusterIP: 10.96.0.2", "clusterIP: None");
    let (status, stdout, _) = run(&["--cluster-state", &state(folder.path(), "state.yaml", &broken)]);
    assert_eq!(status, 1);
    assert!(stdout.contains("× services\n    error service-headless: Service default/mockb\n"), "{stdout}");
    assert!(stdout.contains("        see: docs/preflight.md#service-headless\n"), "{stdout}");
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    assert!(stdout.ends_with("\n1 error, 0 warnings\n"), "{stdout}");
}

#[test]
fn several_files_are_one_cluster_in_yaml_or_json_or_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let service = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mockb", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.2", "selector": {"app": "mockb"}, "ports": [{"name": "grpc", "port": 8000}]}}"#;
    let text = read(HEALTHY).replace("name: mockb, namespace", "name: other, namespace");
    let (text, json) = (state(folder.path(), "a.yaml", &text), state(folder.path(), "b.json", service));
    let anchors = |output: (i32, String, String)| -> Vec<String> {
        let findings: Value = serde_json::from_str(&output.1).unwrap();
        findings.as_array().unwrap().iter().map(|finding| finding["anchor"].as_str().unwrap().to_owned()).collect()
    };
    let found = anchors(run(&["--cluster-state", &text, "--cluster-state", &json, "--format", "json"]));
    assert_eq!(found, ["service-protocol"]);

    let mut child = preflight(&["--cluster-state", &text, "--cluster-state", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(service.as_bytes()).unwrap();
    assert_eq!(anchors(told(child.wait_with_output().unwrap())), ["service-protocol"]);
}

#[test]
fn a_file_that_is_no_cluster_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bad =
        state(folder.path(), "state.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: 1}\n");
    let (status, _, stderr) = run(&["--cluster-state", &bad]);
    assert_eq!((status, stderr.contains("Service /a cannot be read: spec.ports")), (2, true), "{stderr}");
    let (status, _, stderr) = run(&["--cluster-state", &state(folder.path(), "state.yaml", "a: [")]);
    assert_eq!((status, stderr.contains("failed to read the cluster from")), (2, true), "{stderr}");
}

#[test]
fn kubectl_is_asked_and_what_it_may_not_list_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let healthy: Value = serde_saphyr::from_str(&read(HEALTHY)).unwrap();
    let json = state(folder.path(), "state.json", &healthy.to_string());
    // A cluster that knows nothing of the Gateway API, and a user who may not list Sidecars.
    let script = format!(
        r#"echo "$@" >> {calls}
case "$*" in
  *api-resources*) printf '%s\n' namespaces services pods endpointslices.discovery.k8s.io deployments.apps configmaps \
    destinationrules.networking.istio.io virtualservices.networking.istio.io gateways.networking.istio.io \
    sidecars.networking.istio.io serviceentries.networking.istio.io envoyfilters.networking.istio.io ;;
  *services,pods*) cat {json} ;;
  *) echo '{{"apiVersion": "v1", "kind": "List", "items": []}}'
    echo 'Error from server (Forbidden): sidecars.networking.istio.io is forbidden: User "x" cannot list' >&2; exit 1 ;;
esac
"#,
        calls = folder.path().join("calls").display()
    );
    let kubectl = kubectl(&folder, &script);
    let (status, stdout, stderr) = run(&["--kubectl", &kubectl, "--context", "shop", "--format", "json"]);
    assert_eq!((status, stderr.as_str()), (1, ""));
    let findings: Value = serde_json::from_str(&stdout).unwrap();
    let kinds: Vec<&str> =
        findings.as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["sidecars.networking.istio.io", "wasmplugins.extensions.istio.io"], "{stdout}");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert!(calls.lines().all(|call| call.starts_with("--context=shop ")) && calls.lines().count() == 3, "{calls}");
}

#[test]
fn a_kubectl_that_fails_or_hangs_or_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let failing = kubectl(&folder, "echo 'error: no configuration has been provided' >&2; exit 1");
    let (status, _, stderr) = run(&["--kubectl", &failing]);
    assert_eq!((status, stderr.contains("no configuration has been provided")), (2, true), "{stderr}");

    let hanging = kubectl(&folder, "exec sleep 60");
    let start = Instant::now();
    let (status, _, stderr) = run(&["--kubectl", &hanging, "--timeout", "1"]);
    assert_eq!((status, stderr.contains("has not answered within 1 s")), (2, true), "{stderr}");
    assert!(start.elapsed() < Duration::from_secs(30));

    let (status, _, stderr) = run(&["--kubectl", "/no/such/kubectl"]);
    assert_eq!((status, stderr.contains("failed to run /no/such/kubectl")), (2, true), "{stderr}");
}

/// The command leaves out what the cluster does not know: kubectl would list nothing at all otherwise.
#[test]
fn the_printed_command_prints_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"case "$*" in
  *api-resources*) printf '%s\n' pods nodes services ;;
  *"get -A -o yaml"*) echo "items: []  # $*" ;;
esac
"#;
    let kubectl = kubectl(&folder, script);
    let (status, command, _) = run(&["--print-command", "--kubectl", &kubectl, "--context", "shop"]);
    assert_eq!(status, 0);
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let (status, stdout, stderr) = told(output);
    assert_eq!((status, stdout.trim()), (0, "items: []  # --context=shop get -A -o yaml pods,services"), "{stderr}");
}
