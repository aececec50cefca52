//! What a fault may cost: nothing, but for requests that cannot be taken back.

use traffic_lanes_tests::load::Seen;

use crate::{fault::Fault, table::Row};

/// RFC 9110, section 9.2.2.
const IDEMPOTENT: [&str; 3] = ["GET", "PUT", "DELETE"];
/// What Envoy says when a connection ends that it has sent the request on.
const CUT_OFF: &str = "reset reason: connection termination";
/// What a sidecar says whose application is not there: its caller cannot know that nothing was sent on.
const NOT_THERE: &str = "reset reason: remote connection failure";
/// What Envoy says when nothing has come back for as long as the route allows: 15 seconds.
const TIMED_OUT: &str = "504: upstream request timeout";
/// What the application itself says, which is its answer to what may not be sent twice.
const OWN_503: &str = " is unavailable";
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
        let (mut lost, mut timed_out) = (0, 0);
        for (stream, seen) in self.streams.iter().zip(seen) {
            for (outcome, &count) in seen {
                row.sent += count;
                if stream.is_hit && self.is_without(outcome) {
                    *(if self.without == REFUSED { &mut row.refused } else { &mut row.fell_back }) += count;
                } else if self.waited(step, stream, outcome) {
                    timed_out += count;
                } else if self.may_be_lost(step, stream, outcome) {
                    lost += count;
                } else if outcome != stream.chain || (stream.is_hit && step == Step::Lasts && self.fault.is_noticed()) {
                    row.wrong.push((count, format!("{step:?}: {}: {outcome}", stream.method)));
                }
            }
        }
        row.lost += lost;
        row.timed_out += timed_out;
        for (_, lost) in
            [(Fault::Killed, lost), (Fault::Hangs, timed_out)].iter().filter(|(fault, _)| *fault == self.fault)
        {
            if *lost > self.connections() {
                row.wrong.push((*lost, format!("lost on {} connections", self.connections())));
            }
        }
    }

    fn is_without(&self, outcome: &str) -> bool {
        if self.without == REFUSED { outcome.starts_with(REFUSED) } else { outcome == self.without }
    }

    /// A request that is not idempotent, and that has been sent to the pod before anybody could know. Only the pod's own caller
    /// may say so.
    fn may_be_lost(&self, step: Step, stream: &Expected, outcome: &str) -> bool {
        let is_at_the_pod = outcome.matches("(version: ").count() == self.before;
        let is_its_own = self.fault == Fault::Unavailable && outcome.ends_with(OWN_503);
        // While an application is replaced by another, nobody listens behind its sidecar, at the end as at the beginning.
        let is_replaced = self.fault.replaces_the_application();
        let is_cut_off = outcome.ends_with(CUT_OFF) || is_replaced && outcome.ends_with(NOT_THERE);
        let is_cut_off = is_cut_off && is_at_the_pod && (step == Step::Begins || is_replaced && step == Step::Ends);
        let can_happen = self.fault != Fault::TakenAway && self.without != REFUSED;
        can_happen && (is_cut_off || is_its_own) && stream.is_hit && !IDEMPOTENT.contains(&stream.method)
    }

    /// A request of any method that has been sent to a pod before it hung. Nothing but the route's timeout ends it.
    fn waited(&self, step: Step, stream: &Expected, outcome: &str) -> bool {
        self.fault == Fault::Hangs && step == Step::Begins && stream.is_hit && outcome.ends_with(TIMED_OUT)
    }

    /// How many connections the pod's caller can have to it: Envoy opens one only if a request waits, and each ends once. One
    /// more for the observer.
    fn connections(&self) -> usize {
        self.streams.iter().filter(|stream| stream.is_hit).count() + 1
    }
}
