//! The cluster, by kubectl: its configuration, its credentials and its ways to ask for them are kubectl's business.

use std::{
    fmt,
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;

/// How often the spinner turns, and the time is looked at.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// Hardly any is smaller.
const BYTES_OF_A_RESOURCE: usize = 512;

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
    /// How long each of its calls may take, beside a second for each resource that it writes
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// What a call has said.
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Kubectl {
    /// Calls kubectl with `input` on its standard input. It may fail.
    pub(super) fn call(&self, progress: &ProgressBar, arguments: &[&str], input: &str) -> Result<Said> {
        self.run(progress, &mut self.command_of(arguments), input)
    }

    /// The same for what changes the cluster: Ctrl-C interrupts `lanes`, which lets it finish.
    pub(super) fn write(&self, progress: &ProgressBar, arguments: &[&str], input: &str) -> Result<Said> {
        let mut command = self.command_of(arguments);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let said = self.run(progress, &mut command, input)?;
        self.succeeded(arguments, said)
    }

    /// What a call prints that must succeed.
    pub(super) fn told(&self, progress: &ProgressBar, arguments: &[&str], input: &str) -> Result<String> {
        let said = self.call(progress, arguments, input)?;
        Ok(self.succeeded(arguments, said)?.stdout)
    }

    /// The kinds that the cluster knows and lists.
    pub(super) fn known(&self, progress: &ProgressBar) -> Result<Vec<String>> {
        // An aggregated API that is down makes it fail, and the others are told nevertheless.
        let said = self.call(progress, &["api-resources", "--verbs=list", "-o", "name"], "")?;
        if said.stdout.trim().is_empty() {
            bail!("{self} cannot list what the cluster knows: {}", said.stderr.trim());
        }
        Ok(said.stdout.lines().map(|line| line.trim().to_owned()).collect())
    }

    fn succeeded(&self, arguments: &[&str], said: Said) -> Result<Said> {
        if !said.status.success() {
            let stderr = said.stderr.trim().lines().collect::<Vec<_>>().join("; ");
            bail!("{self} {}: {stderr}", arguments.join(" "));
        }
        Ok(said)
    }

    fn command_of(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(self.words().iter().skip(1)).args(arguments);
        command
    }

    fn run(&self, progress: &ProgressBar, command: &mut Command, input: &str) -> Result<Said> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("failed to run {self}"))?;
        let (stdout, stderr) = (text_of(child.stdout.take()), text_of(child.stderr.take()));
        let (stdin, input) = (child.stdin.take(), input.to_owned());
        let limit = Duration::from_secs(self.timeout + (input.len() / BYTES_OF_A_RESOURCE) as u64);
        // If it does not read to the end, its own words say more than a broken pipe.
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let status = self.ended(progress, &mut child, limit)?;
        let text = |thread: JoinHandle<String>| thread.join().unwrap_or_default();
        Ok(Said { status, stdout: text(stdout), stderr: text(stderr) })
    }

    fn ended(&self, progress: &ProgressBar, child: &mut Child, limit: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = child.try_wait().context("failed to wait for kubectl")? {
                return Ok(status);
            }
            if Instant::now() >= end {
                child.kill().and_then(|()| child.wait()).context("failed to stop kubectl")?;
                bail!("{self} has not answered within {} s (--timeout)", limit.as_secs());
            }
            progress.tick();
            thread::sleep(TICK);
        }
    }

    /// Itself and its options, as kubectl has them.
    pub(super) fn words(&self) -> Vec<String> {
        let option = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{name}={value}"));
        let options = [option("kubeconfig", &self.kubeconfig), option("context", &self.context)];
        [Some(self.kubectl.clone())].into_iter().chain(options).flatten().collect()
    }
}

impl fmt::Display for Kubectl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kubectl)
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
