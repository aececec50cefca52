//! What a count says about a share.

/// The exact interval of Clopper and Pearson: shares under which `count` of `number` is not less probable than `error`, half of it
/// on each side.
pub(super) fn interval(count: u64, number: u64, error: f64) -> (f64, f64) {
    if number == 0 {
        return (0.0, 1.0);
    }
    let half = error / 2.0;
    let from = if count == 0 { 0.0 } else { solve(|share| 1.0 - up_to(count - 1, number, share) >= half) };
    let to = if count == number { 1.0 } else { solve(|share| up_to(count, number, share) < half) };
    (from, to)
}

/// The share from which on `holds`, by bisection.
fn solve(holds: impl Fn(f64) -> bool) -> f64 {
    // A double has no more digits.
    const STEPS: usize = 50;
    let (mut from, mut to) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = f64::midpoint(from, to);
        if holds(middle) { to = middle } else { from = middle }
    }
    f64::midpoint(from, to)
}

/// How probable it is that at most `count` of `number` happen, each with this probability.
fn up_to(count: u64, number: u64, share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return if share <= 0.0 || count >= number { 1.0 } else { 0.0 };
    }
    let odds = share.ln() - (-share).ln_1p();
    let mut term = number as f64 * (-share).ln_1p();
    let mut sum = term.exp();
    for happened in 0..count {
        term += ((number - happened) as f64 / (happened + 1) as f64).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(count: u64, number: u64, error: f64) -> (f64, f64) {
        let (from, to) = interval(count, number, error);
        ((from * 1e4).round() / 1e4, (to * 1e4).round() / 1e4)
    }

    /// As R's `binom.test(x, n, conf.level = 0.95)` says.
    #[test]
    fn it_is_the_published_interval() {
        assert_eq!(rounded(0, 10, 0.05), (0.0, 0.3085));
        assert_eq!(rounded(10, 10, 0.05), (0.6915, 1.0));
        assert_eq!(rounded(7, 20, 0.05), (0.1539, 0.5922));
        assert_eq!(rounded(81, 263, 0.05), (0.2527, 0.3676));
    }

    /// With the true share, all counts together whose interval does not have it are not more probable than the error.
    #[test]
    fn it_is_wrong_as_rarely_as_it_says() {
        const NUMBER: u64 = 300;
        for (share, error) in [(0.01, 0.05), (0.2, 0.01), (0.5, 0.0005), (0.97, 0.0005)] {
            let probability = |count: u64| {
                let below = if count == 0 { 0.0 } else { up_to(count - 1, NUMBER, share) };
                up_to(count, NUMBER, share) - below
            };
            let misses = |count: &u64| {
                let (from, to) = interval(*count, NUMBER, error);
                share < from || to < share
            };
            let wrong: f64 = (0..=NUMBER).filter(misses).map(probability).sum();
            assert!(wrong <= error && wrong > 0.0, "{share} {error}: {wrong}");
        }
    }

    #[test]
    fn large_numbers_are_no_trouble() {
        let (from, to) = interval(20_100, 100_000, 0.001);
        assert!(from < 0.2 && 0.2 < to && to - from < 0.01, "{from} {to}");
    }
}
