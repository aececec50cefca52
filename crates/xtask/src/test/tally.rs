//! Counts test cases while their output streams through.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Write},
    ops::AddAssign,
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, test::session::Verdict};

/// Test cases by what they came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// The cases that ran.
    pub(crate) fn cases(self) -> u64 {
        self.passed + self.failed
    }

    /// Reads the line with which a test program ends: `test result: ok. 3 passed; 0 failed; 1 ignored; …`. The built-in
    /// harness, libtest-mimic and wasm-bindgen's runner all write it.
    fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let mut tally = Self::default();
        for (count, what) in counts.split("; ").filter_map(|part| part.split_once(' ')) {
            match what {
                "passed" => tally.passed = count.parse().ok()?,
                "failed" => tally.failed = count.parse().ok()?,
                "ignored" => tally.ignored = count.parse().ok()?,
                _ => {}
            }
        }
        Some(tally)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        Ok(())
    }
}

/// Runs test programs; that none ran a case is a failure as well.
pub(crate) fn run(command: &mut Command) -> Result<Verdict> {
    run_into(command, &mut io::stdout().lock())
}

fn run_into(command: &mut Command, output: &mut impl Write) -> Result<Verdict> {
    let mut child = process::piped(command)?;
    let stdout = child.stdout.take().context("the test run has no stdout")?;
    let tally = copy(BufReader::new(stdout), output).context("failed to read the test run's output")?;
    let status = child.wait().context("failed to wait for the test run")?;
    if status.success() && tally.failed == 0 && tally.passed > 0 {
        return Ok(Verdict::Passed(Some(tally)));
    }
    Ok(Verdict::Failed(Some(tally)))
}

fn copy(mut from: impl BufRead, to: &mut impl Write) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        if let Some(result) = Tally::parse(&String::from_utf8_lossy(&line)) {
            tally += result;
        }
        line.clear();
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_line_counts_and_every_byte_passes_through() {
        let output = b"running 2 tests\n\
            test one ... ok\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            \xff no UTF-8\n\
            test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 filtered out\n\
            no newline";
        let mut copied = Vec::new();

        let tally = copy(&output[..], &mut copied).unwrap();

        assert_eq!(tally, Tally { passed: 5, failed: 4, ignored: 1 });
        assert_eq!(copied, output);
    }

    #[test]
    fn other_lines_do_not_count() {
        assert_eq!(Tally::parse("test result_line ... ok"), None);
        assert_eq!(Tally::parse("5 passed; 0 failed"), None);
    }

    #[test]
    fn a_run_passes_only_if_a_case_passed_and_none_failed() {
        // Not to stdout, where the run of these very tests would count them.
        let run = |script: &str| run_into(Command::new("sh").args(["-c", script]), &mut io::sink()).unwrap();
        let tally = |passed, failed| Some(Tally { passed, failed, ignored: 0 });

        assert_eq!(run("echo 'test result: ok. 1 passed; 0 failed'"), Verdict::Passed(tally(1, 0)));
        assert_eq!(run("echo 'test result: ok. 0 passed; 0 failed'"), Verdict::Failed(tally(0, 0)));
        assert_eq!(run("echo 'test result: FAILED. 1 passed; 1 failed'; exit 101"), Verdict::Failed(tally(1, 1)));
        assert_eq!(run("echo 'test result: ok. 1 passed; 0 failed'; exit 1"), Verdict::Failed(tally(1, 0)));
    }
}
