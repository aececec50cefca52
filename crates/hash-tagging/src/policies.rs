//! From a bucket to the policy that wins it.

use std::collections::BTreeSet;

/// Which policy wins each bucket, found by binary search however many policies there are.
#[derive(Debug)]
pub(crate) struct PolicyTable {
    /// Ascending; a segment reaches to the start of the next one.
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    start: u32,
    policy: Option<usize>,
}

/// The buckets that a policy asks for: `from <= bucket < range`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buckets {
    pub(crate) from: u32,
    pub(crate) range: u32,
}

impl PolicyTable {
    /// Of several policies that cover a bucket the first wins.
    pub(crate) fn new(policies: &[Buckets]) -> Self {
        let covering = policies.iter().enumerate().filter(|(_, policy)| policy.from < policy.range);
        let mut bounds: Vec<(u32, usize)> =
            covering.flat_map(|(index, policy)| [(policy.from, index), (policy.range, index)]).collect();
        bounds.sort_unstable();
        let mut open = BTreeSet::new();
        let mut segments = Vec::new();
        for bounds in bounds.chunk_by(|(bound, _), (next, _)| bound == next) {
            for (_, policy) in bounds {
                // The second bound of a policy is where it ends.
                if !open.remove(policy) {
                    open.insert(*policy);
                }
            }
            let policy = open.first().copied();
            segments.extend(bounds.first().map(|(start, _)| Segment { start: *start, policy }));
        }
        Self { segments }
    }

    /// The index of the policy that wins the bucket, if one covers it.
    pub(crate) fn winner(&self, bucket: u32) -> Option<usize> {
        let after = self.segments.partition_point(|segment| segment.start <= bucket);
        self.segments.get(after.checked_sub(1)?)?.policy
    }

    /// The policies that win any bucket at all.
    pub(crate) fn winners(&self) -> BTreeSet<usize> {
        self.segments.iter().filter_map(|segment| segment.policy).collect()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn table(policies: &[(u32, u32)]) -> PolicyTable {
        PolicyTable::new(&policies.iter().map(|&(from, range)| Buckets { from, range }).collect::<Vec<_>>())
    }

    #[test]
    fn bounds_are_half_open() {
        let table = table(&[(0, 20), (50, 60)]);
        let winners = [0, 19, 20, 49, 50, 59, 60, u32::MAX].map(|bucket| table.winner(bucket));
        assert_eq!(winners, [Some(0), Some(0), None, None, Some(1), Some(1), None, None]);
    }

    #[test]
    fn the_first_policy_wins() {
        let table = table(&[(0, 20), (0, 100), (10, 30), (0, 0)]);
        assert_eq!([0, 19, 20, 99].map(|bucket| table.winner(bucket)), [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(table.winners(), [0, 1].into());
    }

    #[test]
    fn the_whole_width_is_covered() {
        let table = table(&[(0, u32::MAX)]);
        assert_eq!(table.winner(u32::MAX - 1), Some(0));
    }

    #[test]
    fn no_policy_wins_nothing() {
        assert_eq!(table(&[]).winner(0), None);
    }
}
