//! What a fault may cost: nothing, but for requests that cannot be taken back.

use traffic_lanes_tests::load::Seen;

use crate::{fault::Fault, table::Row};

/// RFC 9110, section 9.2.2.
const IDEMPOTENT: [&str; 3] = ["GET", "PUT", "DELETE"];
/// What Envoy says when a connection ends that it has sent the request on.
const CUT_OFF: &str = "reset reason: connection termination";
/// Envoy's answer where nothing falls back.
const REFUSED: &str = "503";

/// A part of the life of a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    Begins,
    /// Everybody has noticed.
    Lasts,
    Ends,
}

/// What may become of the requests of every stream.
pub(crate) struct Rules {
    without: &'static str,
    fault: Fault,
    /// How many services have a request before the one that fails.
    before: usize,
    streams: Vec<Expected>,
}

struct Expected {
    method: &'static str,
    chain: &'static str,
    is_hit: bool,
}

impl Rules {
    pub(crate) fn new(pod: &str, without: &'static str, fault: Fault) -> Self {
        let before = ["mocka", "mockb", "mockc"].iter().take_while(|service| !pod.starts_with(*service)).count();
        Self { without, fault, before, streams: Vec::new() }
    }

    /// What the next stream may see.
    pub(crate) fn expect(&mut self, method: &'static str, chain: &'static str, is_hit: bool) {
        self.streams.push(Expected { method, chain, is_hit });
    }

    /// Counts what was seen in `row`.
    pub(crate) fn judge(&self, step: Step, seen: &[Seen], row: &mut Row) {
        let mut lost = 0;
        for (stream, seen) in self.streams.iter().zip(seen) {
            for (outcome, &count) in seen {
                row.sent += count;
                if stream.is_hit && self.is_without(outcome) {
                    *(if self.without == REFUSED { &mut row.refused } else { &mut row.fell_back }) += count;
                } else if self.may_be_lost(step, stream, outcome) {
                    lost += count;
                } else if outcome != stream.chain || (stream.is_hit && step == Step::Lasts) {
                    row.wrong.push((count, format!("{step:?}: {}: {outcome}", stream.method)));
                }
            }
        }
        row.lost += lost;
        if self.fault == Fault::Killed && lost > self.connections() {
            row.wrong.push((lost, format!("lost on {} connections", self.connections())));
        }
    }

    fn is_without(&self, outcome: &str) -> bool {
        if self.without == REFUSED { outcome.starts_with(REFUSED) } else { outcome == self.without }
    }

    /// A request that is not idempotent, and that has been sent to the pod before anybody could know. Only the pod's own caller
    /// may say so.
    fn may_be_lost(&self, step: Step, stream: &Expected, outcome: &str) -> bool {
        let is_cut_off = outcome.ends_with(CUT_OFF) && outcome.matches("(version: ").count() == self.before;
        let can_happen = step == Step::Begins && self.fault != Fault::TakenAway && self.without != REFUSED;
        can_happen && is_cut_off && stream.is_hit && !IDEMPOTENT.contains(&stream.method)
    }

    /// How many connections the pod's caller can have to it: Envoy opens one only if a request waits, and each ends once. One
    /// more for the observer.
    fn connections(&self) -> usize {
        self.streams.iter().filter(|stream| stream.is_hit).count() + 1
    }
}
