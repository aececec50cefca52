//! What is printed, and what is written into files.

use std::{
    fmt::Display,
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    process::ExitCode,
};

use anstyle::Style;
use anyhow::{Context, Result, bail};
use lanes::{
    escape::json,
    finding::{Finding, Severity},
};
use rustix::fs::OFlags;
use serde::Serialize;

use super::{FINE, RED, YELLOW};

/// Prints to standard output. A reader that has seen enough is no error.
///
/// What documents, servers and file names say in it goes through [`lanes::escape::Escaped`] first: only our own colours reach
/// a terminal.
pub(super) fn print(text: &str) -> Result<ExitCode> {
    let mut stdout = anstream::stdout();
    whole(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// A finding on a line, for people.
pub(super) fn line(finding: &Finding) -> String {
    finding.styled(style(finding.severity))
}

pub(super) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error | Severity::Lost => RED,
        Severity::Warning | Severity::Assumed => YELLOW,
    }
}

/// How many errors there are, and how many warnings.
pub(super) fn sum(severities: impl Iterator<Item = Severity>) -> String {
    let (errors, warnings): (Vec<_>, Vec<_>) = severities.partition(|severity| *severity == Severity::Error);
    format!("{}, {}", plural(errors.len(), "error"), plural(warnings.len(), "warning"))
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Prints for programs.
pub(super) fn print_json(value: &impl Serialize) -> Result<ExitCode> {
    print(&json(value)?)
}

/// Prints what is no text.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<ExitCode> {
    let mut stdout = io::stdout().lock();
    whole(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Says something beside the result. That nobody can hear it changes nothing.
pub(crate) fn remark(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Writes a file whole, beside the one that is there, which it then replaces: nobody sees half a file, a command that breaks
/// off leaves the old one, and nothing is written through a link.
///
/// # Errors
/// It cannot be written, or what has its name is a link, a folder, or a device.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    ensure_file(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || {
        let mut builder = tempfile::Builder::new();
        // The umask takes from it what it takes from every file.
        let mut file = builder.permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
        file.write_all(content)?;
        file.persist(path).map_err(|error| error.error)
    };
    written().map(drop).with_context(|| format!("failed to write {}", path.display()))
}

/// Whether a file begins so. Waits for nobody: what is no file does not.
pub(super) fn begins_with(path: &Path, mark: &[u8]) -> Result<bool> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let read = || -> io::Result<bool> {
        if !fs::symlink_metadata(path)?.is_file() {
            return Ok(false);
        }
        let file = File::options().read(true).custom_flags(flags.try_into().unwrap_or_default()).open(path)?;
        let mut begin = Vec::new();
        file.take(mark.len() as u64).read_to_end(&mut begin)?;
        Ok(begin == mark)
    };
    read().with_context(|| format!("failed to read {}", path.display()))
}

/// Fails if there is something that is no file.
fn ensure_file(path: &Path) -> Result<()> {
    let is = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_symlink() => "a link, and links are not followed",
        Ok(metadata) if metadata.is_dir() => "a folder",
        Ok(_) => "no ordinary file",
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("failed to write {}", path.display())),
    };
    bail!("failed to write {}: it is {is}: name another, or remove it", path.display())
}

fn whole(written: io::Result<()>) -> Result<ExitCode> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("failed to write to standard output"),
        _ => Ok(FINE),
    }
}
