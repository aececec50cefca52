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
pub(super) const TICK: Duration = Duration::from_millis(100);

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
    /// How long each of its calls may take
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
        let mut command = Command::new(&self.kubectl);
        command.args(self.words().iter().skip(1)).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What Ctrl-C interrupts is `lanes`, which lets kubectl finish what it writes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().with_context(|| format!("failed to run {}", self.kubectl))?;
        let (stdout, stderr) = (text_of(child.stdout.take()), text_of(child.stderr.take()));
        let (stdin, input) = (child.stdin.take(), input.to_owned());
        // If it does not read to the end, its own words say more than a broken pipe.
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let status = self.ended(progress, &mut child)?;
        let text = |thread: JoinHandle<String>| thread.join().unwrap_or_default();
        Ok(Said { status, stdout: text(stdout), stderr: text(stderr) })
    }

    /// What a call prints that must succeed.
    pub(super) fn told(&self, progress: &ProgressBar, arguments: &[&str], input: &str) -> Result<String> {
        let Said { status, stdout, stderr } = self.call(progress, arguments, input)?;
        if !status.success() {
            bail!("{} {}: {}", self.kubectl, arguments.join(" "), stderr.trim());
        }
        Ok(stdout)
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
            thread::sleep(TICK.min(Duration::from_millis(20)));
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
