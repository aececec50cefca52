//! The cluster itself, by kubectl.

use std::{
    io::Read,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use lanes::preflight::{Cluster, Gap, KINDS, Kinds};

/// How often the spinner turns, and the time is looked at.
const TICK: Duration = Duration::from_millis(100);

#[derive(Args)]
#[command(next_help_heading = "Options for kubectl")]
pub(super) struct Kubectl {
    /// The kubectl to run
    #[arg(long, value_name = "PATH", default_value = "kubectl")]
    kubectl: String,
    /// The kubeconfig's context to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The kubeconfig to use
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<String>,
    /// How long each of its few calls may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// What a call has said.
struct Said {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Kubectl {
    /// What prints everything that is looked at, of what the cluster knows: of one unknown kind kubectl would refuse all.
    pub(super) fn command(&self) -> String {
        let names: Vec<&str> = KINDS.iter().flat_map(|kinds| kinds.names).copied().collect();
        let words: Vec<String> = [self.kubectl.clone()].into_iter().chain(self.options()).collect();
        let kubectl = words.join(" ");
        let known =
            format!("{kubectl} api-resources --verbs=list -o name | grep -xE '{}' | paste -sd, -", names.join("|"));
        format!("{kubectl} get -A -o yaml \"$({known})\"")
    }

    /// Reads what the cluster has. What may not be listed, or is unknown there, is noted and does not stop the rest.
    pub(super) fn read(&self, cluster: &mut Cluster) -> Result<()> {
        let progress = ProgressBar::new_spinner().with_message("asking the cluster what it knows");
        let known = self.call(&progress, &["api-resources", "--verbs=list", "-o", "name"])?;
        // An aggregated API that is down makes it fail, and the others are told nevertheless.
        if known.stdout.trim().is_empty() {
            bail!("{} cannot list what the cluster knows: {}", self.kubectl, known.stderr.trim());
        }
        let known: Vec<&str> = known.stdout.lines().map(str::trim).collect();
        for kinds in KINDS {
            self.read_kinds(cluster, &progress, kinds, &known)?;
        }
        progress.finish_and_clear();
        Ok(())
    }

    fn read_kinds(&self, cluster: &mut Cluster, progress: &ProgressBar, kinds: &Kinds, known: &[&str]) -> Result<()> {
        let (there, unknown): (Vec<&str>, Vec<&str>) = kinds.names.iter().partition(|name| known.contains(name));
        if kinds.everywhere {
            unknown.iter().for_each(|name| cluster.lacks(*name, Gap::Unknown));
        }
        if there.is_empty() {
            return Ok(());
        }
        progress.set_message(format!("listing {}", there.join(", ")));
        let said = self.call(progress, &["get", &there.join(","), "--all-namespaces", "-o", "json"])?;
        if !said.stdout.trim().is_empty() {
            cluster.read(&said.stdout).context("kubectl has printed something else than objects")?;
        }
        let refused: Vec<&str> = there.iter().copied().filter(|name| is_refused(&said.stderr, name)).collect();
        if !said.status.success() && refused.is_empty() {
            bail!("{} get {}: {}", self.kubectl, there.join(","), said.stderr.trim());
        }
        refused.iter().for_each(|name| cluster.lacks(*name, Gap::Refused));
        Ok(())
    }

    fn call(&self, progress: &ProgressBar, arguments: &[&str]) -> Result<Said> {
        let mut command = Command::new(&self.kubectl);
        command.args(self.options()).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| {
            format!("failed to run {}; --cluster-state reads what it prints elsewhere", self.kubectl)
        })?;
        let (stdout, stderr) = (text_of(child.stdout.take()), text_of(child.stderr.take()));
        let status = self.ended(progress, &mut child)?;
        let text = |thread: JoinHandle<String>| thread.join().unwrap_or_default();
        Ok(Said { status, stdout: text(stdout), stderr: text(stderr) })
    }

    fn ended(&self, progress: &ProgressBar, child: &mut Child) -> Result<ExitStatus> {
        let end = Instant::now() + Duration::from_secs(self.timeout);
        loop {
            if let Some(status) = child.try_wait().context("failed to wait for kubectl")? {
                return Ok(status);
            }
            if Instant::now() >= end {
                child.kill().and_then(|()| child.wait()).context("failed to stop kubectl")?;
                bail!("{} has not answered within {} s (--timeout)", self.kubectl, self.timeout);
            }
            progress.tick();
            thread::sleep(TICK);
        }
    }

    /// As kubectl itself has them.
    fn options(&self) -> Vec<String> {
        let option = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{name}={value}"));
        [option("kubeconfig", &self.kubeconfig), option("context", &self.context)].into_iter().flatten().collect()
    }
}

/// Both are read while the command runs: it would wait for its reader otherwise.
fn text_of(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `Error from server (Forbidden): pods is forbidden: User "x" cannot list resource "pods" in API group "" …`
fn is_refused(stderr: &str, name: &str) -> bool {
    let plural = name.split('.').next().unwrap_or(name);
    let is_its = |line: &str| {
        let mut words = line.split("(Forbidden): ").skip(1).filter_map(|rest| rest.split(' ').next());
        words.any(|word| word == name || word == plural)
    };
    stderr.lines().any(is_its)
}
