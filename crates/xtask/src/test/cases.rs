//! Counts test cases while their output streams through.

use std::{
    fmt,
    io::{BufRead, BufReader, Write},
    ops::AddAssign,
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::process;

/// Test cases by what they came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cases {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
}

impl Cases {
    pub(super) fn ran(self) -> u64 {
        self.passed + self.failed
    }

    /// Reads the line with which a test program ends: `test result: ok. 3 passed; 0 failed; 1 ignored; …`. The built-in
    /// harness, libtest-mimic and wasm-bindgen's runner all write it, and stable Rust has nothing else for programs.
    fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let mut counts = counts.split(' ').filter_map(|word| word.parse().ok());
        Some(Self { passed: counts.next()?, failed: counts.next()?, ignored: counts.next().unwrap_or_default() })
    }
}

impl AddAssign for Cases {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl fmt::Display for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 { write!(f, ", {} ignored", self.ignored) } else { Ok(()) }
    }
}

/// Runs test programs, whose output goes to `output`; that none ran a case is a failure as well.
pub(super) fn run(command: &mut Command, cases: &mut Cases, output: &mut impl Write) -> Result<()> {
    let mut child = process::piped(command)?;
    let mut from = BufReader::new(child.stdout.take().context("the test run has no stdout")?);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        output.write_all(&line)?;
        *cases += Cases::parse(&String::from_utf8_lossy(&line)).unwrap_or_default();
        line.clear();
    }
    let status = process::finish(child)?.status;
    ensure!(status.success() && cases.failed == 0, "the tests ended with {status}");
    ensure!(cases.passed > 0, "no case ran");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn cases(passed: u64, failed: u64, ignored: u64) -> Cases {
        Cases { passed, failed, ignored }
    }

    #[test]
    fn only_the_line_at_the_end_counts() {
        let line = "test result: FAILED. 3 passed; 4 failed; 1 ignored; 0 measured; finished in 0.00s";

        assert_eq!(Cases::parse(line), Some(cases(3, 4, 1)));
        assert_eq!(Cases::parse("test result: ok. 2 passed; 0 failed"), Some(cases(2, 0, 0)));
        assert_eq!(Cases::parse("test result_line ... ok"), None);
        assert_eq!(Cases::parse("5 passed; 0 failed"), None);
    }

    #[test]
    fn a_run_passes_only_if_a_case_passed_and_none_failed() {
        // Not to stdout, where the run of these very tests would count them.
        let run = |script: &str| {
            let mut cases = Cases::default();
            let result = run(Command::new("sh").args(["-c", script]), &mut cases, &mut io::sink());
            (result.is_ok(), cases)
        };

        assert_eq!(run("echo 'test result: ok. 1 passed; 0 failed'"), (true, cases(1, 0, 0)));
        assert_eq!(run("echo 'test result: ok. 0 passed; 0 failed'"), (false, cases(0, 0, 0)));
        assert_eq!(run("echo 'test result: FAILED. 1 passed; 1 failed'; exit 101"), (false, cases(1, 1, 0)));
        assert_eq!(run("echo 'test result: ok. 1 passed; 0 failed'; exit 1"), (false, cases(1, 0, 0)));
    }
}
