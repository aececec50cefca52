//! What xtask itself says, between the lines of the programs that it runs. In colour on a terminal only: anstream strips
//! the styles elsewhere, and where `NO_COLOR` asks for it.

use anstyle::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Begins a part of the run.
pub(crate) fn heading(text: &str) {
    anstream::println!("\n{BOLD}== {text}{BOLD:#}");
}

/// One line about what goes on.
pub(crate) fn say(text: &str) {
    anstream::println!("{text}");
}

/// Whether what is said is so.
pub(crate) fn verdict(is_so: bool, text: &str) {
    let verdict = if is_so { format!("{GREEN}ok{GREEN:#}") } else { format!("{RED}FAILED{RED:#}") };
    anstream::println!("  {text}  {verdict}");
}

/// A command, before it runs.
pub(crate) fn command(line: &str) {
    anstream::println!("{DIM}$ {line}{DIM:#}");
}

/// An error with its causes, to stderr.
pub(crate) fn error(error: &anyhow::Error) {
    anstream::eprintln!("{RED}error:{RED:#} {error:#}");
}
