use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

use crate::PATIENCE;

/// The browser reads its third file and writes its fourth: the shell gives it its standard ones there.
const SHELL: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#;
/// Of a profile that nobody has seen, in a container as well, where root has no sandbox and shared memory is scarce. It asks nobody
/// for updates.
const OPTIONS: [&str; 8] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-proxy-server",
    "--hide-scrollbars",
];
const END: u8 = 0;

/// A browser and the protocol with it; dropping it ends the browser.
#[derive(Debug)]
pub(crate) struct Pipe {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    events: Vec<Value>,
    log: NamedTempFile,
    last: u64,
    _profile: TempDir,
}

impl Pipe {
    pub(crate) fn start(chromium: &Path) -> Result<Self> {
        let (profile, log) = (tempfile::tempdir()?, NamedTempFile::new()?);
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh"]).arg(chromium).args(OPTIONS);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.reopen()?);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", chromium.display()))?;
        let input = child.stdin.take().context("it has an input")?;
        let mut reader = BufReader::new(child.stdout.take().context("it has an output")?);
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while reader.read_until(END, &mut message).is_ok_and(|length| length > 0) {
                let value = serde_json::from_slice(message.strip_suffix(&[END]).unwrap_or(&message));
                message.clear();
                if value.is_ok_and(|value| sender.send(value).is_err()) {
                    break;
                }
            }
        });
        Ok(Self { child, input, output, events: Vec::new(), log, last: 0, _profile: profile })
    }

    /// Calls a method, and keeps what happens meanwhile.
    pub(crate) fn call(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Result<Value> {
        self.last += 1;
        let id = self.last;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let (Some(session), Some(fields)) = (session, message.as_object_mut()) {
            fields.insert("sessionId".to_owned(), json!(session));
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(END);
        self.input.write_all(&bytes).with_context(|| self.ended(method))?;
        loop {
            let answer =
                self.output.recv_timeout(PATIENCE).map_err(|error| anyhow!("{error}: {}", self.ended(method)))?;
            if answer.get("id") != Some(&json!(id)) {
                self.events.push(answer);
                continue;
            }
            if let Some(error) = answer.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(answer.get("result").cloned().unwrap_or_default());
        }
    }

    pub(crate) fn events(&self) -> &[Value] {
        &self.events
    }

    fn ended(&self, method: &str) -> String {
        let log = std::fs::read_to_string(self.log.path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        format!("the browser does not answer {method}; it said: {}", lines.join(" | "))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Asked, it takes its own children with it; whether it hears that, it must be gone.
        let close = self.call(None, "Browser.close", json!({}));
        if close.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
