//! Running other programs.

use std::{
    env,
    ffi::OsString,
    io::{self, ErrorKind},
    iter::once,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, anyhow, bail};

use crate::console;

/// Shows the command, lets it write to this terminal, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    console::command(&shown(command));
    let status = command.status().map_err(|error| cannot_start(command, error))?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

/// What the command writes to stdout; stderr is in the error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| cannot_start(command, error))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed with {}: {}", shown(command), output.status, stderr.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote something other than UTF-8", shown(command)))
}

/// Shows the command and starts it with its stdout piped to the caller.
pub(crate) fn piped(command: &mut Command) -> Result<Child> {
    console::command(&shown(command));
    command.stdout(Stdio::piped()).spawn().map_err(|error| cannot_start(command, error))
}

/// The command line as a person would type it in the folder it runs in.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let folder = command.get_current_dir().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().replace(&folder, ""));
    once(program.to_string_lossy().into_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// `PATH` with `folder` searched first.
pub(crate) fn path_with(folder: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(once(folder.to_owned()).chain(env::split_paths(&path)))
        .with_context(|| format!("failed to put {} on PATH", folder.display()))
}

fn cannot_start(command: &Command, error: io::Error) -> anyhow::Error {
    let program = command.get_program().display();
    match error.kind() {
        ErrorKind::NotFound => anyhow!("`{program}` was not found"),
        _ => anyhow!("failed to start `{program}`: {error}"),
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
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();

        assert_eq!(error.to_string(), "`no-such-program` was not found");
    }

    #[test]
    fn a_failure_tells_the_command_its_status_and_its_stderr() {
        let error = output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err();

        assert_eq!(error.to_string(), "`sh -c echo broken >&2; exit 3` failed with exit status: 3: broken");
    }
}
