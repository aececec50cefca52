//! `lanes diff`.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;
use lanes::{
    document::LaneGroup,
    escape::Escaped,
    plot::{Moves, diff},
    spread::{Assignment, Move, moved_buckets},
};
use serde_json::{Value, json};

use super::{FINE, PlotFormat, PlotOutput, group, ids, output::print_bytes, print, print_json};

/// How many users who move are shown by name.
const SHOWN: usize = 10;

#[derive(Args)]
pub(crate) struct Options {
    /// The lane group that is in force
    #[arg(value_name = "OLD")]
    old: String,
    /// The lane group that is to replace it
    #[arg(value_name = "NEW")]
    new: String,
    /// Real identities, one a line
    #[arg(long, value_name = "FILE")]
    users: Option<String>,
    #[command(flatten)]
    output: PlotOutput,
}

/// Who moves, of the identities given.
#[derive(Default)]
struct Users {
    all: u64,
    moves: BTreeMap<Move, u64>,
    examples: Vec<(String, Move)>,
}

impl Options {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let (old, new) = (group(&self.old)?, group(&self.new)?);
        let (Some(before), Some(after)) = (Assignment::of(&old)?, Assignment::of(&new)?) else {
            bail!("both lane groups need spec.assign.users: without, nobody has a lane of their own");
        };
        let buckets = moved_buckets(&old, &new);
        let mut users = Users::default();
        if let Some(file) = &self.users {
            ids::for_each(file, |user| users.add(&before, &after, user))?;
        }
        match self.output.format {
            PlotFormat::Svg => print_bytes(self.drawn(&old, &new, buckets.as_ref(), &users).as_bytes())?,
            PlotFormat::Json => print_json(&self.json(buckets.as_ref(), &users))?,
            PlotFormat::Text => print(&self.told(&new, buckets.as_ref(), &users))?,
        };
        let is_between_lanes = |moved: &Move| moved.from != old.spec.baseline && moved.to != new.spec.baseline;
        let mut moves = buckets.iter().flat_map(BTreeMap::keys).chain(users.moves.keys());
        let is_safe = buckets.is_some() && !moves.any(is_between_lanes);
        Ok(if is_safe { FINE } else { ExitCode::from(1) })
    }

    fn told(&self, new: &LaneGroup, buckets: Option<&BTreeMap<Move, u64>>, users: &Users) -> String {
        let modulo = new.spec.users().map_or(1, |users| users.modulo);
        let mut told = match buckets {
            None => "identity, hash, salt or modulo differ: every user may move anywhere\n".to_owned(),
            Some(moves) if moves.is_empty() => "no bucket moves\n".to_owned(),
            Some(moves) => lines(moves, u64::from(modulo), "buckets"),
        };
        if self.users.is_some() {
            told += &lines(&users.moves, users.all, "users");
            for (user, moved) in &users.examples {
                told += &format!("  {}: {} -> {}\n", Escaped(user), moved.from, moved.to);
            }
            let moved: u64 = users.moves.values().sum();
            told += &format!("{moved} of {} users move\n", users.all);
        }
        told
    }

    fn drawn(&self, old: &LaneGroup, new: &LaneGroup, buckets: Option<&BTreeMap<Move, u64>>, users: &Users) -> String {
        let modulo = new.spec.users().map_or(1, |users| users.modulo);
        let buckets = buckets.map(|moves| Moves { of: "buckets", moves, all: u64::from(modulo) });
        let users = self.users.is_some().then_some(Moves { of: "users", moves: &users.moves, all: users.all });
        diff(old, new, buckets, users)
    }

    fn json(&self, buckets: Option<&BTreeMap<Move, u64>>, users: &Users) -> Value {
        let list = |moves: &BTreeMap<Move, u64>| -> Value {
            moves.iter().map(|(moved, count)| json!({"from": moved.from, "to": moved.to, "count": count})).collect()
        };
        json!({
            "buckets": buckets.map(list),
            "users": self.users.is_some().then(|| json!({"count": users.all, "moves": list(&users.moves)})),
        })
    }
}

impl Users {
    fn add(&mut self, before: &Assignment, after: &Assignment, user: &[u8]) {
        self.all += 1;
        let (from, to) = (before.lane(user).0, after.lane(user).0);
        if from != to {
            let moved = Move { from: from.to_owned(), to: to.to_owned() };
            if self.examples.len() < SHOWN {
                self.examples.push((String::from_utf8_lossy(user).into_owned(), moved.clone()));
            }
            *self.moves.entry(moved).or_default() += 1;
        }
    }
}

fn lines(moves: &BTreeMap<Move, u64>, all: u64, what: &str) -> String {
    let line = |(moved, count): (&Move, &u64)| {
        let share = 100.0 * *count as f64 / all.max(1) as f64;
        format!("{} -> {}: {count} of {all} {what}, {share:.2} %\n", moved.from, moved.to)
    };
    moves.iter().map(line).collect()
}
