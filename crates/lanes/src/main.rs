//! The `lanes` tool.

mod command;

use std::process::ExitCode;

use clap::{Error, Parser};
use lanes::escape::Escaped;

use crate::command::{Cli, RED, remark};

/// The exit status of a command that could not be carried out.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match Cli::try_parse().map(Cli::run) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            let error = Escaped(format!("{error:#}"));
            remark(format_args!("{RED}error:{RED:#} {error}"));
            ExitCode::from(FAILED)
        }
        Err(error) => misused(&error),
    }
}

/// Says what is wrong about the arguments, or the help that was asked for. Arguments may be the names of others' files.
fn misused(error: &Error) -> ExitCode {
    let text = error.to_string();
    let escaped: Vec<String> = text.lines().map(|line| Escaped(line).to_string()).collect();
    if text.lines().eq(&escaped) {
        error.exit();
    }
    escaped.iter().for_each(remark);
    ExitCode::from(FAILED)
}
