//! The steps of one run: what each came to, and the table at the end.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    console::{self, BOLD, GREEN, RED, YELLOW},
    test::tally::Tally,
};

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well; with the cases it ran, if it ran any.
    Passed(Option<Tally>),
    /// Nothing wrong was found because the check could not be made, for the reason given.
    NotChecked(&'static str),
    /// Something is wrong; with the cases it ran, if it ran any.
    Failed(Option<Tally>),
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Session {
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    verdict: Verdict,
    duration: Duration,
}

impl Session {
    /// Runs one step and tells whether it succeeded. An error fails this step and no other.
    pub(crate) fn step(&mut self, name: &'static str, action: impl FnOnce() -> Result<Verdict>) -> bool {
        console::heading(name);
        let start = Instant::now();
        let verdict = action().unwrap_or_else(|error| {
            console::error(&error);
            Verdict::Failed(None)
        });
        let duration = start.elapsed();
        let step = Step { name, verdict, duration };
        console::say(&format!("{} after {:.1} s", step.result(), duration.as_secs_f64()));
        let succeeded = !step.failed();
        self.steps.push(step);
        succeeded
    }

    /// Prints the table and, as the last line, the sum; true if no step failed.
    pub(crate) fn conclude(self) -> bool {
        console::heading("summary");
        anstream::println!("{BOLD}{:<16} {:>8} {:>8}  result{BOLD:#}", "step", "cases", "seconds");
        for step in &self.steps {
            let cases = step.tally().map(|tally| tally.cases().to_string()).unwrap_or_default();
            anstream::println!("{:<16} {cases:>8} {:>8.1}  {}", step.name, step.duration.as_secs_f64(), step.result());
        }
        let Tally { passed, failed, .. } = self.sum();
        anstream::println!("\n{passed} passed, {failed} failed");
        failed == 0
    }

    /// All cases; a step that failed without a failed case counts as one, so that the sum never looks green for it.
    fn sum(&self) -> Tally {
        let mut sum = Tally::default();
        for step in &self.steps {
            let tally = step.tally().unwrap_or_default();
            sum += tally;
            if step.failed() && tally.failed == 0 {
                sum.failed += 1;
            }
        }
        sum
    }
}

impl Step {
    fn failed(&self) -> bool {
        matches!(self.verdict, Verdict::Failed(_))
    }

    fn tally(&self) -> Option<Tally> {
        match self.verdict {
            Verdict::Passed(tally) | Verdict::Failed(tally) => tally,
            Verdict::NotChecked(_) => None,
        }
    }

    fn result(&self) -> String {
        let result = match self.verdict {
            Verdict::Passed(_) => format!("{GREEN}ok{GREEN:#}"),
            Verdict::NotChecked(reason) => format!("{YELLOW}not checked{YELLOW:#} ({reason})"),
            Verdict::Failed(_) => format!("{RED}failed{RED:#}"),
        };
        match self.tally() {
            Some(tally) if tally.cases() == 0 => format!("{result}: no case ran"),
            Some(tally) => format!("{result}: {tally}"),
            None => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn tally(passed: u64, failed: u64) -> Option<Tally> {
        Some(Tally { passed, failed, ignored: 0 })
    }

    #[test]
    fn cases_add_up_over_the_steps() {
        let mut session = Session::default();

        assert!(session.step("one", || Ok(Verdict::Passed(tally(2, 0)))));
        assert!(!session.step("two", || Ok(Verdict::Failed(tally(3, 4)))));

        assert_eq!(session.sum(), tally(5, 4).unwrap());
        assert!(!session.conclude());
    }

    #[test]
    fn a_failed_step_without_a_failed_case_counts_as_one() {
        let mut session = Session::default();

        session.step("broken", || bail!("no compiler"));
        session.step("empty", || Ok(Verdict::Failed(tally(0, 0))));

        assert_eq!(session.sum().failed, 2);
    }

    #[test]
    fn a_check_that_could_not_be_made_is_no_failure() {
        let mut session = Session::default();

        assert!(session.step("advisories", || Ok(Verdict::NotChecked("database unreachable"))));

        assert!(session.conclude());
    }
}
