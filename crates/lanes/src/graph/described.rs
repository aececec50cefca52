//! The graph in sentences, for those who do not see it.

use super::{Graph, Lane};
use crate::{explain::Why, picture::number};

impl Graph {
    pub(super) fn described(&self) -> String {
        let from = format!("{} reach the {}.", self.clients.join(" "), self.gateway.join(" "));
        let rejected = self.rejects_untagged.then(|| "A request without a tag is answered with 404.".to_owned());
        let lanes = self.lanes.iter().map(|lane| self.lane(lane));
        [from].into_iter().chain(lanes).chain(rejected).collect::<Vec<_>>().join(" ")
    }

    fn lane(&self, lane: &Lane) -> String {
        let share = lane.share.map(|share| format!("{} %", number(share)));
        let who: Vec<String> = share.into_iter().chain(lane.entrance.iter().cloned()).collect();
        let hops = self.services.iter().zip(&lane.cells).flat_map(|(service, cell)| {
            cell.answers.iter().map(|answer| {
                let by = answer.by.and_then(|row| self.lanes.get(row)).map_or("nobody", |lane| lane.name.as_str());
                format!("{} by {by}{}", service.name, because(answer.why))
            })
        });
        let hops: Vec<String> = hops.collect();
        let hops = if hops.is_empty() { "no requests".to_owned() } else { hops.join(", ") };
        let who = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
        format!("Lane {}{who}: {hops}.", lane.name)
    }
}

fn because(why: Why) -> &'static str {
    match why {
        Why::OwnLane => "",
        Why::Fallback => " as a fallback",
        Why::LaneLost => ", out of the lane",
        Why::Unavailable => ", which is a 503",
    }
}
