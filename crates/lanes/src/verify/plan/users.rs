//! Requests of users.

use plugin_config::Refused;

use super::{Planner, REPEATS};
use crate::{
    document::{Identity, Users},
    verify::{check::Check, users},
};

/// How many users of those who are named are asked as.
const NAMED: usize = 20;

impl Planner<'_> {
    pub(super) fn users(&mut self) -> Result<(), Refused> {
        let checks = [Check::NamedUsers, Check::SplitBoundaries, Check::SampledUsers];
        let Some(users) = self.group.spec.users() else {
            checks.into_iter().for_each(|check| self.unchecked(check, "the group does not assign by user"));
            return Ok(());
        };
        let Some(place) = users::sendable(users) else {
            let why = "the identity is a claim, which takes a token";
            checks.into_iter().for_each(|check| self.unchecked(check, why));
            return Ok(());
        };
        self.named(users, place)?;
        self.boundaries(users, place)?;
        // Each twice, so that they can be seen to stay.
        for number in 0..self.asked.requests.div_ceil(2) {
            let user = users::made_up(u32::try_from(number).unwrap_or(u32::MAX));
            self.add(Check::SampledUsers, user.clone(), self.of_user(place, &user), 2)?;
        }
        Ok(())
    }

    fn named(&mut self, users: &Users, place: &Identity) -> Result<(), Refused> {
        let named = users.named.iter().flat_map(|named| &named.values);
        let (plain, odd): (Vec<&String>, Vec<&String>) = named.partition(|user| users::is_plain(place, user));
        for user in plain.iter().take(NAMED) {
            self.add(Check::NamedUsers, format!("{user}, who is named"), self.of_user(place, user), REPEATS)?;
        }
        match (plain.is_empty(), odd.first()) {
            (true, None) => self.unchecked(Check::NamedUsers, "nobody is named"),
            (true, Some(user)) => {
                self.unchecked(Check::NamedUsers, format!("`{user}` cannot be written into the request as it is"));
            }
            _ => {}
        }
        Ok(())
    }

    fn boundaries(&mut self, users: &Users, place: &Identity) -> Result<(), Refused> {
        let neighbours = users::neighbours(self.group, users)?;
        if neighbours.is_empty() {
            self.unchecked(Check::SplitBoundaries, "the split has no boundary: one lane has everybody");
        }
        for neighbour in neighbours {
            let who = format!("{} in bucket {} of {}", neighbour.user, neighbour.bucket, users.modulo);
            self.add(Check::SplitBoundaries, who, self.of_user(place, &neighbour.user), REPEATS)?;
        }
        Ok(())
    }
}
