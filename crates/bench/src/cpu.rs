//! How much CPU time a process has had, and how busy a core was, as Linux accounts for it.

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

/// What a core has done since the machine started, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CoreTime {
    busy: u64,
    idle: u64,
}

impl CoreTime {
    /// # Errors
    ///
    /// The kernel keeps no account of this core.
    pub(crate) fn of(core: usize) -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("/proc/stat")?;
        core_time(&text, core).with_context(|| format!("/proc/stat has no times of core {core}"))
    }

    /// The part of the time since `before` in which the core was busy; `None` if no time has passed.
    pub(crate) fn busy_since(self, before: Self) -> Option<f64> {
        let (busy, idle) = (self.busy.checked_sub(before.busy)?, self.idle.checked_sub(before.idle)?);
        let total = busy + idle;
        (total > 0).then(|| busy as f64 / total as f64)
    }
}

/// From the lines `cpu0 user nice system idle iowait irq softirq steal …`
/// (<https://docs.kernel.org/filesystems/proc.html>, section 1.7).
fn core_time(stat: &str, core: usize) -> Option<CoreTime> {
    let line = stat.lines().find_map(|line| line.strip_prefix(&format!("cpu{core} ")))?;
    let times: Vec<u64> = line.split_ascii_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, idle, waiting, irq, softirq, steal] = times.try_into().ok()?;
    Some(CoreTime { busy: user + nice + system + irq + softirq + steal, idle: idle + waiting })
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

    #[test]
    fn a_core_is_busy_unless_it_is_idle() {
        let stat = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 40 5 6 7 8 0 0\ncpu1 10 20 30 400 50 60 70 80 0 0\nintr 1\n";
        let (first, second) = (core_time(stat, 0).unwrap(), core_time(stat, 1).unwrap());
        assert_eq!(first, CoreTime { busy: 27, idle: 45 });
        assert_eq!(second.busy_since(first), Some(243.0 / 648.0));
        assert_eq!((first.busy_since(first), first.busy_since(second)), (None, None));
        assert_eq!((core_time(stat, 2), core_time("cpu0 1 2 3\n", 0)), (None, None));
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
