//! What `lanes apply` and `lanes delete` have in common: steps, carried out by kubectl.

pub(super) mod cluster;
mod told;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use lanes::{
    escape::Escaped,
    rollout::{Resource, Step},
};

use super::{
    FINE, Format, GREEN, Output,
    kubectl::{Kubectl, Said, TICK},
    print, print_json, remark,
};

#[derive(Args)]
pub(super) struct Rollout {
    /// Change nothing: have the server check everything, and show the steps and what differs. Exit status 1 if anything does
    #[arg(long)]
    dry_run: bool,
    /// How long to wait after each step, until every proxy has it
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    settle: Duration,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    pub(super) kubectl: Kubectl,
}

/// How far it has come.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Progress<'a> {
    /// Everything was done.
    Done,
    /// So many steps were done; then kubectl failed, and said this.
    Failed(usize, &'a str),
    /// So many steps were done; then somebody asked to stop.
    Stopped(usize),
}

impl Rollout {
    /// Shows the steps, or carries them out. `back` says how to get back.
    pub(super) fn run(&self, subject: &str, steps: &[Step], back: &str) -> Result<ExitCode> {
        if self.dry_run {
            self.print(&told::planned(subject, steps), steps, None)?;
            return Ok(if steps.is_empty() { FINE } else { ExitCode::from(1) });
        }
        let interruption = Interruption::watch()?;
        self.say(&told::heading(subject, steps));
        for (number, step) in steps.iter().enumerate() {
            self.say(&told::step(number, steps));
            match self.write(step) {
                Ok(said) => self.say(&said),
                Err(error) => {
                    let error = format!("{error:#}");
                    self.report(steps, Progress::Failed(number, &error))?;
                    remark(Escaped(&error));
                    remark(told::so_far(number, steps, true, back));
                    bail!("{}", told::failed(number, steps));
                }
            }
            let done = number + 1;
            if done < steps.len() && !self.settled(&interruption) {
                self.report(steps, Progress::Stopped(done))?;
                remark(told::so_far(done, steps, false, back));
                bail!("interrupted");
            }
        }
        self.report(steps, Progress::Done)?;
        self.say(&format!("{GREEN}ok{GREEN:#}: {}\n", told::sum(steps)));
        Ok(FINE)
    }

    /// Whether the cluster is changed.
    pub(super) fn writes(&self) -> bool {
        !self.dry_run
    }

    fn write(&self, step: &Step) -> Result<String> {
        let progress = ProgressBar::new_spinner().with_message(step.wave.name());
        let mut said = String::new();
        let applied: Vec<&Resource> = step.apply.iter().map(|change| &change.apply).collect();
        let deleted: Vec<&Resource> = step.delete.iter().collect();
        for (command, resources) in [
            (&["apply", "--filename=-"][..], applied),
            (&["delete", "--ignore-not-found", "--filename=-"][..], deleted),
        ] {
            if !resources.is_empty() {
                let Said { stdout, stderr, .. } = self.kubectl.write(&progress, command, &cluster::list(&resources))?;
                stderr.lines().for_each(|line| remark(Escaped(line)));
                said += &stdout;
            }
        }
        progress.finish_and_clear();
        Ok(said.lines().map(|line| format!("    {}\n", Escaped(line))).collect())
    }

    /// Waits until every proxy has it; whether nobody has asked to stop.
    fn settled(&self, interruption: &Interruption) -> bool {
        let progress = ProgressBar::new_spinner().with_message("waiting until every proxy has it");
        let end = Instant::now() + self.settle;
        while Instant::now() < end && !interruption.has_come() {
            progress.tick();
            thread::sleep(TICK.min(end.saturating_duration_since(Instant::now())));
        }
        progress.finish_and_clear();
        !interruption.has_come()
    }

    /// For people, who watch.
    fn say(&self, text: &str) {
        if self.output.format == Format::Text {
            let _ = print(text);
        }
    }

    fn report(&self, steps: &[Step], progress: Progress<'_>) -> Result<()> {
        self.print("", steps, Some(progress))
    }

    fn print(&self, text: &str, steps: &[Step], progress: Option<Progress<'_>>) -> Result<()> {
        match self.output.format {
            Format::Text => print(text)?,
            Format::Json => print_json(&told::json(steps, progress))?,
        };
        Ok(())
    }
}

fn duration(text: &str) -> Result<Duration> {
    let duration = lanes::document::Duration::try_from(text.to_owned()).map_err(anyhow::Error::msg);
    Ok(Duration::from_millis(duration.context("--settle")?.milliseconds()))
}

/// Whether somebody has asked to stop, which is done between two steps or requests.
pub(super) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    pub(super) fn watch() -> Result<Self> {
        let interruption = Self(Arc::new(AtomicBool::new(false)));
        let has_come = Arc::clone(&interruption.0);
        ctrlc::set_handler(move || has_come.store(true, Ordering::Relaxed)).context("failed to listen for Ctrl-C")?;
        Ok(interruption)
    }

    pub(super) fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
