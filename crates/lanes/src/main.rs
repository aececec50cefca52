//! The `lanes` tool.

mod command;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("{}error:{} {error:#}", command::RED, command::RED.render_reset());
            ExitCode::from(2)
        }
    }
}
