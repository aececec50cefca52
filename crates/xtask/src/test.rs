//! `xtask test` and `xtask lint`: every check and every test, one step after the other, and their sum.

mod cases;
mod checks;
pub(crate) mod matrix;
mod tiers;

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::{
    console::{self, BOLD, GREEN, RED, YELLOW},
    process,
    project::Project,
    setup::envoy::EnvoyChoice,
};

use cases::Cases;
use tiers::Tier;

/// The arguments of `xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only the tests of this tier, and no checks; may be repeated
    #[arg(long = "tier", value_name = "TIER")]
    tiers: Vec<Tier>,
    /// Run only the tests of the tiers whose names contain this
    #[arg(requires = "tiers")]
    name: Option<String>,
    #[command(flatten)]
    envoy: EnvoyChoice,
}

/// Runs the checks and all tiers, or only the tiers asked for; true if everything passed. The last line printed is
/// `N passed, M failed`.
pub(crate) fn run(project: &Project, options: &Options) -> bool {
    let mut session = Session::default();
    if options.tiers.is_empty() {
        checks::run(project, &mut session);
    }
    tiers::run(project, options, &mut session);
    session.conclude()
}

/// Builds what the suites run.
pub(crate) fn build(project: &Project) -> Result<()> {
    tiers::build(project).map(drop)
}

/// Runs the checks only; true if everything passed.
pub(crate) fn lint(project: &Project) -> bool {
    let mut session = Session::default();
    checks::run(project, &mut session);
    session.conclude()
}

/// The steps so far, and their sum.
#[derive(Default)]
struct Session {
    rows: Vec<String>,
    sum: Cases,
}

/// Whether nothing wrong was found because all is well, or because it could not be looked for.
enum Checked {
    Yes,
    No(&'static str),
}

impl Session {
    /// Runs one step, which counts the cases that it runs, and tells whether it succeeded. An error fails this step and no
    /// other; an interrupt ends them all.
    fn step(&mut self, name: &str, action: impl FnOnce(&mut Cases) -> Result<Checked>) -> bool {
        if process::is_interrupted() {
            return false;
        }
        console::heading(name);
        let (start, mut cases) = (Instant::now(), Cases::default());
        let result = action(&mut cases);
        let mut said = match &result {
            Ok(Checked::Yes) => format!("{GREEN}ok{GREEN:#}"),
            Ok(Checked::No(reason)) => format!("{YELLOW}not checked{YELLOW:#} ({reason})"),
            Err(_) => format!("{RED}failed{RED:#}"),
        };
        let mut count = String::new();
        if cases.ran() > 0 {
            said += &format!(": {cases}");
            count = cases.ran().to_string();
        }
        if let Err(error) = &result {
            console::error(error);
            // The sum never looks green for a step that failed without a failed case.
            cases.failed = cases.failed.max(1);
        }
        let seconds = start.elapsed().as_secs_f64();
        console::say(&format!("{said} after {seconds:.1} s"));
        self.rows.push(format!("{name:<16} {count:>8} {seconds:>8.1}  {said}"));
        self.sum += cases;
        result.is_ok()
    }

    /// Prints the table and, as the last line, the sum; true if no step failed.
    fn conclude(self) -> bool {
        console::heading("summary");
        anstream::println!("{BOLD}{:<16} {:>8} {:>8}  result{BOLD:#}", "step", "cases", "seconds");
        self.rows.iter().for_each(|row| console::say(row));
        anstream::println!("\n{} passed, {} failed", self.sum.passed, self.sum.failed);
        self.sum.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn cases_add_up_and_a_step_that_fails_without_one_counts_as_one() {
        let mut session = Session::default();
        let count = |passed, failed| Cases { passed, failed, ignored: 0 };

        assert!(session.step("one", |cases| {
            *cases = count(2, 0);
            Ok(Checked::Yes)
        }));
        assert!(!session.step("two", |cases| {
            *cases = count(3, 4);
            bail!("it failed")
        }));
        assert_eq!(session.sum, count(5, 4));
        assert!(!session.step("broken", |_| bail!("no compiler")));
        assert_eq!(session.sum, count(5, 5));
        assert!(!session.conclude());
    }

    #[test]
    fn a_check_that_could_not_be_made_is_no_failure_and_is_said() {
        let mut session = Session::default();

        assert!(session.step("advisories", |_| Ok(Checked::No("database unreachable"))));

        assert!(session.rows.concat().contains("not checked"));
        assert!(session.conclude());
    }
}
