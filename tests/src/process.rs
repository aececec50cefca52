//! A program that does not outlive the tests.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context, Result, anyhow, bail};

/// Runs a program until its own stdin ends, which it does when this process ends, in whatever way.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null & program=$!
{ read -r line <&3; kill -KILL $program; } 2>/dev/null &
wait $program
"#;
/// How much of a log an error repeats.
const TAIL_LINES: usize = 15;

/// A program with all that it prints in one file; killed when dropped, or when this process ends.
pub(crate) struct Process {
    name: &'static str,
    guard: Mutex<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts a program under a name in a folder, which it then works in.
    pub(crate) fn start(name: &'static str, program: &Path, arguments: &[String], folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, name]).arg(program).args(arguments).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output);
        let guard = command.spawn().with_context(|| format!("{name}: cannot run sh"))?;
        Ok(Self { name, guard: Mutex::new(guard), log })
    }

    /// All that it has printed so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// An error, with the end of its log, if it has ended.
    pub(crate) fn ensure_running(&self) -> Result<()> {
        let mut guard = self.guard.lock().map_err(|_| anyhow!("a thread panicked"))?;
        if let Some(status) = guard.try_wait()? {
            bail!("{} ended with {status}; the end of its log:{}", self.name, self.tail());
        }
        Ok(())
    }

    /// `error`, with the end of its log.
    pub(crate) fn explain(&self, error: &anyhow::Error) -> anyhow::Error {
        anyhow!("{error:#}; the end of the log of {}:{}", self.name, self.tail())
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(TAIL_LINES)).map(|line| format!("\n  | {line}")).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(guard) = self.guard.get_mut() {
            drop(guard.stdin.take());
            // The only error is that nobody waits for it any more.
            let _ = guard.wait();
        }
    }
}
