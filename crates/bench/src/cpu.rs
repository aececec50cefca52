//! How much CPU time a process has had, in nanoseconds, from Linux's schedstat.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

/// The CPU time of all threads of a process that live.
///
/// # Errors
///
/// There is no such process, or the kernel keeps no such account.
pub(crate) fn time_of(process: u32) -> Result<Duration> {
    let tasks = format!("/proc/{process}/task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(&tasks).with_context(|| tasks.clone())? {
        // A thread may end between the two.
        if let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) {
            nanoseconds += run_time(&text).with_context(|| format!("{tasks}: a schedstat reads {text:?}"))?;
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Whether this kernel keeps the account at all.
pub(crate) fn ensure_accounted() -> Result<()> {
    let file = Path::new("/proc/self/schedstat");
    let text = fs::read_to_string(file).with_context(|| format!("{}: the kernel must have it", file.display()))?;
    run_time(&text).map(drop).with_context(|| format!("{} reads {text:?}", file.display()))
}

/// The first of the three numbers: time on a core, time in the queue, number of slices
/// (<https://docs.kernel.org/scheduler/sched-stats.html>).
fn run_time(schedstat: &str) -> Option<u64> {
    let mut fields = schedstat.split_ascii_whitespace().map(str::parse::<u64>);
    let time = fields.next()?.ok()?;
    // Not another file that begins with a number.
    (fields.by_ref().take(2).filter(Result::is_ok).count() == 2 && fields.next().is_none()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_a_core_comes_first() {
        assert_eq!(run_time("4150723905 8730211 5521\n"), Some(4_150_723_905));
        assert_eq!(run_time("0 0 0"), Some(0));
    }

    #[test]
    fn anything_else_is_no_schedstat() {
        for text in ["", "12", "12 34", "12 34 x", "-1 2 3", "1.5 2 3", "1 2 3 4"] {
            assert_eq!(run_time(text), None, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_takes_time() {
        ensure_accounted().unwrap();
        let before = time_of(std::process::id()).unwrap();
        let mut number = 1_u64;
        while time_of(std::process::id()).unwrap() == before {
            (0..1_000_000_u64).for_each(|step| number = std::hint::black_box(number.wrapping_mul(step | 1)));
        }
        assert!(time_of(std::process::id()).unwrap() > before);
    }
}
