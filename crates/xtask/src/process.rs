//! Running other programs, each in a process group of its own: an interrupt ends it with all that it has started.

use std::{
    io::ErrorKind,
    iter::once,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
    thread,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::console;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The process group of the program that runs, or 0.
static GROUP: AtomicI32 = AtomicI32::new(0);

/// Has Ctrl-C, SIGTERM and SIGHUP end the program that runs, and everything after it. For the thread that may
/// [`wait_for_interrupt`].
pub(crate) fn handle_interrupts() -> Result<()> {
    let waiting = thread::current();
    let interrupt = move || {
        INTERRUPTED.store(true, Ordering::SeqCst);
        end_group();
        waiting.unpark();
    };
    ctrlc::set_handler(interrupt).context("failed to listen for Ctrl-C")
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Returns when somebody wants an end.
pub(crate) fn wait_for_interrupt() {
    while !is_interrupted() {
        thread::park();
    }
}

/// An error as soon as somebody wants an end, so that whoever holds a mesh drops it.
pub(crate) fn go_on() -> Result<()> {
    ensure!(!is_interrupted(), "interrupted");
    Ok(())
}

/// Shows the command, lets it write to this terminal, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    ensure!(status.success(), "`{}` failed with {status}", shown(command));
    Ok(())
}

/// As [`run`], if its status is an answer.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    console::command(&shown(command));
    Ok(finish(spawn(command)?)?.status)
}

/// What the command writes to stdout; stderr is in the error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = finish(spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed with {}: {}", shown(command), output.status, stderr.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote something other than UTF-8", shown(command)))
}

/// Shows the command and gives what it writes to stderr although it succeeds.
pub(crate) fn warnings(command: &mut Command) -> Result<String> {
    console::command(&shown(command));
    let output = finish(spawn(command.stderr(Stdio::piped()))?)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "`{}` failed with {}: {}", shown(command), output.status, stderr.trim());
    Ok(stderr)
}

/// Shows the command and starts it with its stdout piped to the caller, who [`finish`]es it.
pub(crate) fn piped(command: &mut Command) -> Result<Child> {
    console::command(&shown(command));
    spawn(command.stdout(Stdio::piped()))
}

/// Waits for the end.
pub(crate) fn finish(child: Child) -> Result<Output> {
    let output = child.wait_with_output();
    GROUP.store(0, Ordering::SeqCst);
    go_on()?;
    Ok(output?)
}

/// The command line as a person would type it in the folder it runs in.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let folder = command.get_current_dir().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().replace(&folder, ""));
    once(program.to_string_lossy().into_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn spawn(command: &mut Command) -> Result<Child> {
    go_on()?;
    // Nobody could answer in another process group than the terminal's.
    let child = command.process_group(0).stdin(Stdio::null()).spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("`{}` was not found", command.get_program().display()),
        _ => anyhow!("failed to start `{}`: {error}", command.get_program().display()),
    })?;
    GROUP.store(child.id().try_into().unwrap_or_default(), Ordering::SeqCst);
    if is_interrupted() {
        end_group();
    }
    Ok(child)
}

fn end_group() {
    if let Some(group) = Pid::from_raw(GROUP.load(Ordering::SeqCst)) {
        // What has ended already needs no signal.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.current_dir("/home/me/lanes").args(["install", "--root", "/home/me/lanes/.tools/x"]);

        assert_eq!(shown(&command), "cargo install --root .tools/x");
    }

    #[test]
    fn a_failure_tells_the_command_its_status_and_its_stderr() {
        let error = output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err();

        assert_eq!(error.to_string(), "`sh -c echo broken >&2; exit 3` failed with exit status: 3: broken");
        assert_eq!(run(&mut Command::new("no-such")).unwrap_err().to_string(), "`no-such` was not found");
    }
}
