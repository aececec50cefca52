//! `lanes describe`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use lanes::{
    describe::{Sentence, Subject, describe},
    escape::{Escaped, filled},
};

use super::{Format, Output, group, print, print_json};

#[derive(Args)]
pub(crate) struct Options {
    /// A file with one LaneGroup
    #[arg(value_name = "FILE")]
    file: String,
    /// A service, a lane or a user; `service/`, `lane/` or `user/` before it says which
    #[arg(value_name = "SERVICE|LANE|USER")]
    subject: String,
    #[command(flatten)]
    output: Output,
}

/// Of a line.
const WIDTH: usize = 100;

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let group = group(&self.file)?;
        let subject = Subject::of(&group, &self.subject)
            .with_context(|| format!("the lane group has no {}", self.subject.replace('/', " ")))?;
        let sentences = describe(&group, subject)?;
        match self.output.format {
            Format::Json => print_json(&sentences),
            Format::Text => print(&sentences.iter().map(told).collect::<String>()),
        }
    }
}

fn told(sentence: &Sentence) -> String {
    let place = sentence.place.as_ref().map(|place| format!("    {}\n", Escaped(place)));
    filled(&sentence.text, "", WIDTH) + &place.unwrap_or_default()
}
