//! Users to ask as.

use std::collections::BTreeMap;

use plugin_config::Refused;

use crate::{
    document::{Identity, LaneGroup, Users},
    spread::Assignment,
    tagging,
};

/// How many made up users are looked at for each bucket there is.
const TRIES: u32 = 50;

/// A user on one side of a boundary.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    pub(super) user: String,
    pub(super) bucket: u32,
}

/// The identity that a client can send: a claim needs a token.
pub(super) fn sendable(users: &Users) -> Option<&Identity> {
    users.identity.iter().find(|place| place.claim.is_none())
}

/// Whether a user can be named at a place as is, without a way of writing that others may read differently.
pub(super) fn is_plain(place: &Identity, user: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    match place.header {
        Some(_) => user.bytes().all(|byte| byte.is_ascii_graphic()),
        None => user.bytes().all(is_plain),
    }
}

/// The first users of `user-0`, `user-1`, … in the buckets on both sides of every boundary of the split.
pub(super) fn neighbours(group: &LaneGroup, users: &Users) -> Result<Vec<Neighbour>, Refused> {
    let Some(assignment) = Assignment::of(group)? else { return Ok(Vec::new()) };
    let regions = tagging::regions(users);
    let bounds = regions.iter().flat_map(|region| [region.from, region.to]);
    let inner = bounds.filter(|bound| (1..users.modulo).contains(bound));
    let mut wanted: BTreeMap<u32, Option<String>> =
        inner.flat_map(|bound| [bound - 1, bound]).map(|b| (b, None)).collect();
    let mut missing = wanted.len();
    for number in 0..users.modulo.saturating_mul(TRIES) {
        if missing == 0 {
            break;
        }
        let user = made_up(number);
        if let (_, Some(bucket), _) = assignment.lane(user.as_bytes())
            && let Some(found @ None) = wanted.get_mut(&bucket)
        {
            *found = Some(user);
            missing -= 1;
        }
    }
    Ok(wanted.into_iter().filter_map(|(bucket, user)| Some(Neighbour { user: user?, bucket })).collect())
}

/// The first of `user-0`, `user-1`, … who is in the baseline.
pub(super) fn of_baseline(group: &LaneGroup) -> Result<Option<String>, Refused> {
    let Some(assignment) = Assignment::of(group)? else { return Ok(None) };
    let is_there = |user: &String| assignment.lane(user.as_bytes()).0 == group.spec.baseline;
    Ok((0..TRIES * 100).map(made_up).find(is_there))
}

/// A user who is nobody.
pub(super) fn made_up(number: u32) -> String {
    format!("user-{number}")
}
