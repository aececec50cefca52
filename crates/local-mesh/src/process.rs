use std::{
    fs,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::NamedTempFile;

/// How much of a log an error repeats.
const TAIL_LINES: usize = 15;
/// What an Envoy that aborts says last, longer than the tail, so that the reason before it would be lost.
const BACKTRACE: [&str; 2] = ["[envoy_bug]", "[backtrace]"];

/// A child process with all that it prints in one file; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: NamedTempFile,
}

impl Process {
    /// Starts `command`; `name` is what errors call it.
    pub(crate) fn spawn(name: String, command: &mut Command) -> Result<Self> {
        let log = NamedTempFile::new()?;
        let output = log.reopen()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{name}: cannot run {}", command.get_program().display()))?;
        Ok(Self { name, child, log })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed so far, both streams as they came.
    pub(crate) fn log(&self) -> String {
        fs::read(self.log.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// An error if it has ended.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("it ended with {status}");
        }
        Ok(())
    }

    /// Bytes of physical memory, as proc(5) says.
    pub(crate) fn resident_memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).with_context(|| path.clone())?;
        let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let kibibytes: u64 = size.with_context(|| format!("{path} has no VmRSS"))?.parse()?;
        Ok(kibibytes * 1024)
    }

    /// `error` with the name of the process and the end of its log.
    pub(crate) fn explain(&self, error: &anyhow::Error) -> anyhow::Error {
        let log = self.log();
        let is_frame = |line: &&str| BACKTRACE.iter().any(|component| line.contains(component));
        let lines: Vec<&str> = log.lines().filter(|line| !is_frame(line)).collect();
        let tail = lines.iter().skip(lines.len().saturating_sub(TAIL_LINES));
        let tail: String = tail.map(|line| format!("\n  | {line}")).collect();
        anyhow!("{}: {error:#}; the end of its log:{tail}", self.name)
    }

    /// Sends SIGKILL and does not wait for the end; dropping the value does.
    pub(crate) fn kill(&mut self) {
        // The only error is that it has ended already.
        let _ = self.child.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_backtrace_does_not_hide_why_an_envoy_aborted() {
        let script = r#"echo "[critical][assert] the reason"; for frame in $(seq 20); do echo "[error][envoy_bug] #$frame"; done"#;
        let mut process = Process::spawn("envoy".to_owned(), Command::new("sh").args(["-c", script])).unwrap();
        process.child.wait().unwrap();
        let error = process.explain(&anyhow!("it ended")).to_string();
        assert_eq!(error, "envoy: it ended; the end of its log:\n  | [critical][assert] the reason");
    }
}
