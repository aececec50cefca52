//! From the policies of a hash-tagging rule to shares of lanes.

use hash_tagging::config::PolicyConfig;

use crate::{
    document::{Share, Users},
    tagging::{Region, regions},
};

/// The users with the shares that give every bucket the lane it has by the policies.
///
/// # Errors
/// What the policies say that shares cannot.
pub(super) fn shares(users: Users, policies: &[PolicyConfig], lanes: &[&str], baseline: &str) -> Result<Users, String> {
    let decided = decided(users.modulo, policies)?;
    if let Some(other) = policies.iter().find(|policy| !lanes.contains(&policy.tag_value.as_str())) {
        return Err(format!("the tag `{}` is no lane of the group", other.tag_value));
    }
    let own: Vec<Region> = decided.into_iter().filter(|region| region.lane != baseline).collect();
    let is_twice =
        |(index, region): &(usize, &Region)| own.iter().take(*index).any(|before| before.lane == region.lane);
    if let Some((_, region)) = own.iter().enumerate().find(is_twice) {
        return Err(format!("`{}` has buckets in two places", region.lane));
    }
    // A share of nothing is how a ramp is rolled back.
    let mut none: Vec<Region> = Vec::new();
    for PolicyConfig { tag_value: lane, .. } in policies {
        let is_listed = |regions: &[Region]| regions.iter().any(|region| region.lane == *lane);
        if lane != baseline && !is_listed(&own) && !is_listed(&none) {
            none.push(Region { lane: lane.clone(), from: 0, to: 0 });
        }
    }
    let in_order: Vec<&Region> = own.iter().chain(&none).collect();
    let rolled_back_first: Vec<&Region> = none.iter().chain(&own).collect();
    let candidates =
        [plain(&in_order, users.modulo), plain(&rolled_back_first, users.modulo), kept(&in_order, users.modulo)];
    let with = |split| Users { split, ..users.clone() };
    let says_the_same = |users: &Users| {
        let regions: Vec<Region> = regions(users).into_iter().filter(|region| region.from < region.to).collect();
        regions == own
    };
    candidates.into_iter().flatten().map(with).find(says_the_same).ok_or_else(|| {
        let lanes: Vec<String> =
            own.iter().map(|region| format!("`{}` from bucket {}", region.lane, region.from)).collect();
        format!("the buckets are not where shares put them ({})", lanes.join(", "))
    })
}

/// The regions of the buckets, by the first policy that covers each.
fn decided(modulo: u32, policies: &[PolicyConfig]) -> Result<Vec<Region>, String> {
    let from = |policy: &PolicyConfig| policy.from.map_or(0, |from| from.0);
    let mut bounds: Vec<u32> = policies.iter().flat_map(|policy| [from(policy), policy.range.0]).collect();
    bounds.extend([0, modulo]);
    bounds.retain(|bound| *bound <= modulo);
    bounds.sort_unstable();
    bounds.dedup();
    let mut regions: Vec<Region> = Vec::new();
    for (start, end) in bounds.iter().copied().zip(bounds.iter().copied().skip(1)) {
        let covers = |policy: &&PolicyConfig| from(policy) <= start && start < policy.range.0;
        let Some(policy) = policies.iter().find(covers) else {
            return Err(format!("the buckets from {start} to {end} get no tag, and the baseline's in a lane group"));
        };
        match regions.last_mut() {
            Some(last) if last.lane == policy.tag_value => last.to = end,
            _ => regions.push(Region { lane: policy.tag_value.clone(), from: start, to: end }),
        }
    }
    Ok(regions)
}

/// Shares that grow towards each other, of at most two lanes.
fn plain(regions: &[&Region], modulo: u32) -> Option<Vec<Share>> {
    let share = |region: &&Region| Share {
        lane: region.lane.clone(),
        percent: percent(region.to - region.from, modulo),
        up_to: None,
    };
    (regions.len() <= 2).then(|| regions.iter().map(share).collect())
}

/// Shares that grow up to where the next one starts.
fn kept(regions: &[&Region], modulo: u32) -> Option<Vec<Share>> {
    let share = |(index, region): (usize, &&Region)| {
        let next = regions.get(index + 1).map_or(region.to, |next| next.from.max(region.to));
        Share {
            lane: region.lane.clone(),
            percent: percent(region.to - region.from, modulo),
            up_to: Some(percent(next - region.from, modulo)),
        }
    };
    Some(regions.iter().enumerate().map(share).collect())
}

fn percent(buckets: u32, modulo: u32) -> f64 {
    100.0 * f64::from(buckets) / f64::from(modulo)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::without_nulls;

    /// The policies as `upper bound: tag`, the baseline being s1.
    fn read(policies: &[(u32, &str)]) -> Result<String, String> {
        let users = serde_json::from_value(json!({"identity": [{"header": "id"}], "split": []})).unwrap();
        let policies: Value = policies.iter().map(|(range, tag)| json!({"range": range, "tagValue": tag})).collect();
        let policies: Vec<PolicyConfig> = serde_json::from_value(policies).unwrap();
        let users = shares(users, &policies, &["s1", "s2", "s3", "s4"], "s1")?;
        Ok(without_nulls(json!(users.split)).to_string().replace('"', ""))
    }

    #[test]
    fn published_policies_are_shares() {
        let read = |policies| read(policies).unwrap();
        assert_eq!(read(&[(20, "s2"), (100, "s1")]), "[{lane:s2,percent:20}]");
        assert_eq!(read(&[(0, "s2"), (100, "s1")]), "[{lane:s2,percent:0}]", "rolled back");
        assert_eq!(read(&[(100, "s2")]), "[{lane:s2,percent:100}]", "promoted");
        assert_eq!(read(&[(100, "s1")]), "[]");
    }

    #[test]
    fn several_lanes_keep_their_buckets() {
        let read = |policies| read(policies).unwrap();
        let apart = read(&[(10, "s2"), (90, "s1"), (100, "s3")]);
        assert_eq!(apart, "[{lane:s2,percent:10},{lane:s3,percent:10}]", "they grow towards each other");
        let beside = read(&[(10, "s2"), (40, "s3"), (100, "s1")]);
        assert_eq!(beside, "[{lane:s2,percent:10,upTo:10},{lane:s3,percent:30,upTo:30}]");
        let three = read(&[(10, "s2"), (20, "s1"), (40, "s3"), (50, "s4"), (100, "s1")]);
        let expected = "[{lane:s2,percent:10,upTo:20},{lane:s3,percent:20,upTo:20},{lane:s4,percent:10,upTo:10}]";
        assert_eq!(three, expected);
    }

    #[test]
    fn what_shares_cannot_say_is_refused() {
        let refused = |policies| read(policies).unwrap_err();
        assert!(refused(&[(20, "s2")]).contains("from 20 to 100 get no tag"));
        assert!(refused(&[(20, "canary"), (100, "s1")]).contains("`canary` is no lane"));
        assert!(refused(&[(80, "s1"), (100, "s2")]).contains("`s2` from bucket 80"));
        let twice = refused(&[(10, "s2"), (20, "s1"), (30, "s2"), (100, "s1")]);
        assert!(twice.contains("`s2` has buckets in two places"));
    }
}
