use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Asks `condition` until it yields a value, at least once and for no longer than `limit`.
///
/// # Errors
///
/// The first error of `condition`, or that `limit` has passed, which names `what` was waited for.
pub fn wait_until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if started.elapsed() > limit {
            bail!("{what}: not within {limit:?}");
        }
        thread::sleep(POLL_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_again_until_there_is_a_value() {
        let mut answers = [None, None, Some(3)].into_iter();
        let value = wait_until("a number", Duration::from_secs(60), || Ok(answers.next().unwrap()));
        assert_eq!(value.unwrap(), 3);
    }

    #[test]
    fn asks_once_even_without_time_and_then_says_what_was_missing() {
        assert_eq!(wait_until("a number", Duration::ZERO, || Ok(Some(3))).unwrap(), 3);
        let error = wait_until("a number", Duration::ZERO, || Ok(None::<u8>)).unwrap_err();
        assert_eq!(error.to_string(), "a number: not within 0ns");
    }

    #[test]
    fn an_error_ends_the_wait() {
        let error = wait_until("a number", Duration::from_secs(60), || -> Result<Option<u8>> { bail!("gone") });
        assert_eq!(error.unwrap_err().to_string(), "gone");
    }
}
