//! `lanes man`.

use std::{fs, io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use super::{FINE, output::replace, print};

#[derive(Args)]
pub(crate) struct Options {
    /// The subcommand whose page is printed, such as `render istio`; that of `lanes` itself unless given
    #[arg(value_name = "SUBCOMMAND")]
    subcommand: Vec<String>,
    /// Write the pages of `lanes` and of every subcommand into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "subcommand")]
    output: Option<PathBuf>,
}

impl Options {
    pub(super) fn run(&self, lanes: Command) -> Result<ExitCode> {
        let mut lanes = lanes.disable_help_subcommand(true);
        // Subcommands get their whole names only now.
        lanes.build();
        let Some(folder) = &self.output else {
            return print(&page(&self.find(&lanes)?)?);
        };
        fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
        for command in all(&lanes) {
            let path = folder.join(Man::new(command.clone()).get_filename());
            replace(&path, page(&command)?.as_bytes())?;
        }
        Ok(FINE)
    }

    fn find(&self, lanes: &Command) -> Result<Command> {
        let step = |command: &Command, name: &String| {
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let found = command.find_subcommand(name).cloned();
            found.with_context(|| format!("there is no subcommand `{name}`: there are {}", names.join(", ")))
        };
        self.subcommand.iter().try_fold(lanes.clone(), |command, name| step(&command, name))
    }
}

/// A command and everything below it.
fn all(command: &Command) -> Vec<Command> {
    [command.clone()].into_iter().chain(command.get_subcommands().flat_map(all)).collect()
}

/// A page, with the examples line by line: clap_mangen would fill them into paragraphs.
fn page(command: &Command) -> Result<String> {
    let has_options = command.get_arguments().next().is_some();
    let man = Man::new(command.clone()).source(concat!("lanes ", env!("CARGO_PKG_VERSION"))).manual("Traffic lanes");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if has_options {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    after(command).to_writer(&mut page)?;
    page.flush()?;
    Ok(String::from_utf8(page)?)
}

/// What stands after the help: indented lines are examples.
fn after(command: &Command) -> Roff {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (examples, notes): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("  "));
    let notes: Vec<&str> = notes.into_iter().filter(|line| !line.is_empty() && *line != "Example:").collect();
    let mut roff = Roff::new();
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        examples.iter().for_each(|line| {
            roff.text([roman(line.trim_start())]);
        });
        roff.control("fi", []);
    }
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]);
        notes.iter().for_each(|line| {
            roff.control("PP", []).text([roman(*line)]);
        });
    }
    roff
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::command::Cli;

    /// As roff has it.
    fn escaped(text: &str) -> String {
        text.replace('-', "\\-").replace('\'', "\\*(Aq")
    }

    #[test]
    fn every_option_of_every_subcommand_is_on_its_page() {
        let mut lanes = Cli::command().disable_help_subcommand(true);
        lanes.build();
        let commands = all(&lanes);
        assert!(commands.len() >= 10, "{}", commands.len());
        for command in commands {
            let page = page(&command).unwrap();
            let has = |text: &str| assert!(page.contains(text), "{}: {text}\n{page}", command.get_name());
            has(&format!(".TH {} 1 ", command.get_display_name().unwrap_or("lanes")));
            has(&escaped(&command.get_about().unwrap().to_string()));
            // clap words the help of `--help` anew for each output.
            for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
                has(&escaped(&argument.get_help().unwrap().to_string()));
                match argument.get_long() {
                    Some(long) => has(&format!("\\fB\\-\\-{}\\fR", escaped(long))),
                    None => has(&argument.get_value_names().unwrap()[0]),
                }
            }
            for subcommand in command.get_subcommands() {
                has(&format!("\n{}(1)\n", escaped(subcommand.get_display_name().unwrap())));
            }
            for line in command.get_after_help().map(ToString::to_string).unwrap_or_default().lines() {
                has(&escaped(if line == "Example:" { "EXAMPLES" } else { line.trim() }));
            }
        }
    }
}
