//! A Kubernetes API, started or the user's, and its clients: kubectl and `lanes`.
//!
//! `KUBE_APISERVER` names the server to start, `LANES_CRDS` the resource definitions that it gets; else `KUBECONFIG` names a
//! test cluster that has them.

mod control_plane;
mod definitions;
mod listing;
mod namespace;
mod suite;

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, Seek, Write},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{built, repository};

use control_plane::ControlPlane;
use listing::Listing;

pub use namespace::Namespace;
pub use suite::{Test, run};

/// The label of everything that `lanes` renders for Kubernetes.
pub const OF_LANES: &str = "app.kubernetes.io/managed-by=lanes";

/// A Kubernetes API with the resource definitions of Istio and of Gateway API. What was started is ended when dropped.
pub struct Cluster {
    control_plane: Option<ControlPlane>,
    kubectl: PathBuf,
    kubeconfig: OsString,
    /// Of all kinds that have namespaces and can be deleted.
    listing: Option<Listing>,
    folder: TempDir,
}

impl Cluster {
    /// The API that the environment names.
    ///
    /// # Errors
    ///
    /// The environment names none, or what it names does not start or answer.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let kubectl = installed("KUBECTL_BIN", "kubectl/bin/kubectl")?;
        let mut cluster = Self { control_plane: None, kubectl, kubeconfig: OsString::new(), listing: None, folder };
        if let Some(server) = variable("KUBE_APISERVER") {
            let definitions = variable("LANES_CRDS").context("LANES_CRDS is not set: see CONTRIBUTING.md")?;
            let definitions = definitions::files(&definitions).context("LANES_CRDS")?;
            cluster.kubeconfig = ControlPlane::kubeconfig(cluster.folder.path()).into();
            let control_plane = ControlPlane::start(server.into(), &cluster)?;
            cluster.control_plane = Some(control_plane);
            definitions::create(&cluster, &definitions)?;
            for namespace in ["istio-system", "higress-system"] {
                done(&cluster.kubectl(&["create", "namespace", namespace])?)?;
            }
        } else {
            let kubeconfig = variable("KUBECONFIG");
            cluster.kubeconfig =
                kubeconfig.context("neither KUBE_APISERVER nor KUBECONFIG is set: see CONTRIBUTING.md")?;
            let context = done(&cluster.kubectl(&["config", "current-context"])?)?;
            println!("KUBECONFIG: the tests write to the cluster of the context {}", context.trim());
        }
        cluster.listing = Some(Listing::start(&cluster)?);
        Ok(cluster)
    }

    /// Whether the API serves a kind, named as its definition is.
    ///
    /// # Errors
    ///
    /// kubectl fails.
    pub fn serves(&self, kind: &str) -> Result<bool> {
        let served = done(&self.kubectl(&["api-resources", "--output=name"])?)?;
        Ok(served.lines().any(|name| name == kind))
    }

    /// The configuration of clients, as the variable `KUBECONFIG` says it.
    pub fn kubeconfig(&self) -> &std::ffi::OsStr {
        &self.kubeconfig
    }

    /// kubectl.
    ///
    /// # Errors
    ///
    /// It cannot be run, as for all that follow.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<Output> {
        self.kubectl_with(arguments, "")
    }

    /// kubectl, with `input` on its stdin.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<Output> {
        self.output(Command::new(&self.kubectl).args(arguments), input)
    }

    /// `lanes`, which finds this API and kubectl by its environment.
    pub fn lanes(&self, arguments: &[&str]) -> Result<Output> {
        self.output(Command::new(built("lanes")?).args(arguments), "")
    }

    /// `lanes`, interrupted once it has printed a line that begins so.
    ///
    /// # Errors
    ///
    /// It ends without, or prints nothing for long.
    pub fn interrupted_lanes(&self, arguments: &[&str], line: &str) -> Result<Output> {
        let mut command = Command::new(built("lanes")?);
        self.environment(&mut command)?;
        let mut child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("it has no stdout")?);
        let mut printed = String::new();
        for text in stdout.lines() {
            let text = text?;
            printed += &format!("{text}\n");
            if text.starts_with(line) {
                let interrupt = ["-INT".to_owned(), child.id().to_string()];
                ensure!(Command::new("kill").args(interrupt).status()?.success(), "kill has failed");
            }
        }
        let mut output = child.wait_with_output()?;
        output.stdout = printed.into_bytes();
        Ok(output)
    }

    /// Applies resources; what kubectl says, one line for each. Neither it nor the server may refuse or warn.
    pub fn apply(&self, resources: &str) -> Result<String> {
        done(&self.kubectl_with(&["apply", "--validate=strict", "--filename=-"], resources)?)
    }

    /// What `kubectl get` says to these arguments, as JSON.
    pub fn get(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.kubectl(&[&["get", "--output=json"], arguments].concat())?;
        Ok(serde_json::from_str(&done(&output)?)?)
    }

    fn output(&self, command: &mut Command, input: &str) -> Result<Output> {
        let mut file = tempfile::tempfile()?;
        file.write_all(input.as_bytes())?;
        file.rewind()?;
        self.environment(command)?;
        let name = command.get_program().to_owned();
        command.stdin::<File>(file).output().with_context(|| format!("cannot run {}", name.display()))
    }

    /// Nothing of the user's own but, perhaps, the cluster.
    fn environment(&self, command: &mut Command) -> Result<()> {
        let folders = self.kubectl.parent().map(PathBuf::from);
        let path = env::var_os("PATH").unwrap_or_default();
        command.env("PATH", env::join_paths(folders.into_iter().chain(env::split_paths(&path)))?);
        command.env("KUBECONFIG", &self.kubeconfig).env("KUBERC", "off");
        command.env("KUBECACHEDIR", self.folder.path().join("cache")).stderr(Stdio::piped());
        Ok(())
    }
}

/// What a program printed that succeeded and had nothing to complain about.
///
/// # Errors
///
/// It failed, or printed a warning.
pub fn done(output: &Output) -> Result<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_fine = output.status.success() && stderr.lines().all(is_information);
    ensure!(is_fine, "{}: {}", output.status, stderr.trim());
    Ok(String::from_utf8(output.stdout.clone())?)
}

/// A line of kubectl's own log, such as `I1124 19:38:47.135608    7340 request.go:752] "Waited before sending request"`. It says
/// such things where the server is busy, and of any kustomization.yaml that settles the order.
fn is_information(line: &str) -> bool {
    let date = line.strip_prefix('I').and_then(|rest| rest.get(..4));
    date.is_some_and(|date| date.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A program that set-up installs.
fn installed(name: &str, path: &str) -> Result<PathBuf> {
    if let Some(program) = variable(name) {
        return Ok(program.into());
    }
    let program = repository().join(".tools").join(path);
    let part = path.split('/').next().unwrap_or_default();
    ensure!(program.is_file(), "there is no {}: run `cargo run --bin xtask -- setup {part}`", program.display());
    Ok(program)
}
