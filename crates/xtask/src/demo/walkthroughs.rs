//! What is to be seen of the lane groups below `manifests/`. The first four are as Alibaba Cloud Service Mesh publishes them.

use anyhow::Result;

use super::{
    flow::Flow,
    stage::{Row, Stage},
};
use crate::console;

/// A lane group below `manifests/`, and what happens in it.
pub(super) struct Walkthrough {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) pods: &'static str,
    /// What says who somebody is, or which lane he wants.
    pub(super) header: &'static str,
    pub(super) play: fn(&mut Stage) -> Result<()>,
    /// What somebody may want to do while it runs, with the gateway's address and the folder of the configuration left open.
    pub(super) to_try: &'static str,
}

const TAG: &str = "x-asm-prefer-tag";

pub(super) const WALKTHROUGHS: [Walkthrough; 5] = [
    Walkthrough {
        name: "user-segment",
        about: "20 % of the users, always the same ones, are in the canary",
        pods: "four pods, each with an application and an Envoy",
        header: "x-user-id",
        play: user_segment,
        to_try: "Who is in the canary?

  curl -H 'x-user-id: jessie' GATEWAY/mock
  curl -H 'x-user-id: bob' GATEWAY/mock

Ramp it to 50 % and ask for bob again (the gateway takes the file when it is replaced, as sed -i does):

  sed -i 's/\"range\": 20/\"range\": 50/' FOLDER/hash-tagging.yaml

What the filter decided, and the gateway's own interface:

  curl -s http://127.0.0.11:9901/stats/prometheus | grep '^hash_tagging'",
    },
    Walkthrough {
        name: "permissive-baggage",
        about: "40:30:30 by weight, and OpenTelemetry's baggage carries the lane through the applications",
        pods: "seven pods, each with a Python application under OpenTelemetry and an Envoy",
        header: "version",
        play: permissive_baggage,
        to_try: "Which lane does the gateway choose? And how far does a lane of yours get?

  curl GATEWAY/mock
  curl -H 'version: v2' GATEWAY/mock

The application forwards no header; its OpenTelemetry SDK forwards baggage.

What the filter of mocka's sidecar did:

  curl -s http://127.0.1.12:9901/stats/prometheus | grep baggage_propagation",
    },
    Walkthrough {
        name: "strict",
        about: "Three whole lanes; one that lacks a service answers 503",
        pods: "nine pods, three in each lane",
        header: TAG,
        play: strict,
        to_try: LANES_TO_TRY,
    },
    Walkthrough {
        name: "strict-source-labels",
        about: "Three whole lanes by the label of the calling pod, shifted to v1 while a version is unavailable",
        pods: "nine pods, three in each lane",
        header: TAG,
        play: strict_source_labels,
        to_try: "Where does a lane lead?

  curl -H 'x-asm-prefer-tag: v1' GATEWAY/mock
  curl -H 'x-asm-prefer-tag: v2' GATEWAY/mock
  curl -H 'x-asm-prefer-tag: v3' GATEWAY/mock",
    },
    Walkthrough {
        name: "permissive",
        about: "Lanes that hold only what differs; services join and leave them",
        pods: "six pods: the baseline's three, and what is different in two lanes",
        header: TAG,
        play: permissive,
        to_try: LANES_TO_TRY,
    },
];

const LANES_TO_TRY: &str = "Where does a lane lead?

  curl -H 'x-asm-prefer-tag: s1' GATEWAY/mock
  curl -H 'x-asm-prefer-tag: s2' GATEWAY/mock
  curl -H 'x-asm-prefer-tag: s3' GATEWAY/mock";

/// The users, and their buckets.
const USERS: [(&str, u32); 6] = [("jason", 76), ("bob", 44), ("stacy", 25), ("jessie", 16), ("vance", 54), ("jack", 2)];
/// He has a route of his own.
const JASON: &str = "jason";
/// mockc has a canary, v2; mocka and mockb have only v1.
const CANARY: &str = "v1,v1,v2";
const STABLE: &str = "v1,v1,v1";

fn user_segment(stage: &mut Stage) -> Result<()> {
    let flow = Flow::start(&stage.visitor, &USERS.map(|(user, _)| user), usize::MAX);
    for (range, title) in [
        (20, "20 % of the users are in the canary"),
        (50, "Ramped to 50 %: bob and stacy join, nobody leaves"),
        (0, "Rolled back with range 0: the canary is empty, but for jason and his route"),
    ] {
        console::heading(title);
        stage.update("hash-tagging.yaml", r#""range": 20"#, &format!(r#""range": {range}"#))?;
        stage.table(&["user", "bucket", "lane"], &USERS.map(|(user, bucket)| segment(user, bucket, range)))?;
        stage.let_flow(&flow)?;
    }
    console::heading("The canary's only pod dies and comes back");
    stage.kill_pod("mockc-s2")?;
    stage.reaches("mockc v2 killed", JASON, STABLE)?;
    stage.let_flow(&flow)?;
    stage.start_pod("mockc-s2")?;
    stage.reaches("mockc v2 started again", JASON, CANARY)?;
    stage.let_flow(&flow)?;

    let outcomes = flow.stop()?;
    let sent: usize = outcomes.values().sum();
    let answered: usize = [STABLE, CANARY].iter().filter_map(|chain| outcomes.get(*chain)).sum();
    console::heading("While all that happened");
    let failed = sent - answered;
    console::say(&format!("  {sent} requests of other clients went through the gateway; {failed} of them failed."));
    if failed > 0 {
        stage.expect(false, &format!("{outcomes:?}"));
    }
    Ok(())
}

/// Where the published rule sends a user when the canary has the buckets below `range`.
fn segment(user: &'static str, bucket: u32, range: u32) -> Row {
    let why = match bucket < range {
        _ if user == JASON => "has a route of his own, whatever his bucket".to_owned(),
        true => format!("{bucket} is below {range}"),
        false => format!("{bucket} is not below {range}"),
    };
    let (lane, expected) = if user == JASON || bucket < range { ("s2", CANARY) } else { ("s1", STABLE) };
    Row { identity: user, facts: vec![bucket.to_string(), lane.to_owned()], expected, why }
}

/// Lanes, what answers in them, how many percent of the requests they get, and why.
const WEIGHTED: [(&str, &str, u32, &str); 3] = [
    ("v1", "v1,v1,v1", 40, "the baseline has every service"),
    ("v2", "v2,v1,v2", 30, "lacks mockb: the baseline's, and back into the lane"),
    ("v3", "v3,v3,v1", 30, "lacks mockc: the baseline's"),
];
const REQUESTS: u32 = 2000;

fn permissive_baggage(stage: &mut Stage) -> Result<()> {
    console::heading("Lanes behind an application under OpenTelemetry, which forwards baggage and nothing else");
    stage.table(&["lane"], &WEIGHTED.map(|(name, chain, _, why)| lane(name, chain, why)))?;

    console::heading(&format!("{REQUESTS} requests without a tag: the gateway chooses the lane, 40:30:30"));
    let mut outcomes = Flow::start(&stage.visitor, &[""], usize::try_from(REQUESTS)?).finish()?;
    let mut rows = Vec::new();
    for (name, chain, percent, _) in WEIGHTED {
        let count = u32::try_from(outcomes.remove(chain).unwrap_or_default())?;
        let share = format!("{:.1}", 100.0 * f64::from(count) / f64::from(REQUESTS));
        let cells = [name, chain, &count.to_string(), &share, &percent.to_string()].map(str::to_owned);
        rows.push((cells.to_vec(), is_by_chance(count, percent)));
    }
    for (outcome, count) in outcomes {
        rows.push((["", &outcome, &count.to_string(), "", "none"].map(str::to_owned).to_vec(), false));
    }
    stage.print(&["lane", "mocka,b,c", "requests", "percent", "expected"], &rows);
    Ok(())
}

/// Within five standard deviations: a fair split leaves them once in a million.
fn is_by_chance(count: u32, percent: u32) -> bool {
    let share = f64::from(percent) / 100.0;
    let expected = f64::from(REQUESTS) * share;
    (f64::from(count) - expected).abs() < 5.0 * (expected * (1.0 - share)).sqrt()
}

fn strict(stage: &mut Stage) -> Result<()> {
    let lanes = [
        lane("s1", "v1,v1,v1", "every lane has every service"),
        lane("s2", "v2,v2,v2", "and the calling pod's lane decides at every hop"),
        lane("s3", "v3,v3,v3", "whatever the application forwards"),
        lane("", "404", "a request without a tag is in no lane"),
    ];
    stage.table(&["lane"], &lanes)?;
    stage.kill_pod("mockb-s2")?;
    stage.reaches("mockb-s2 killed, strict: no other lane answers", "s2", "503")?;
    stage.start_pod("mockb-s2")?;
    stage.reaches("mockb-s2 started again", "s2", "v2,v2,v2")
}

fn strict_source_labels(stage: &mut Stage) -> Result<()> {
    let lanes = [
        lane("v1", "v1,v1,v1", "the calling pod's lane decides at every hop"),
        lane("v2", "v2,v2,v2", "whatever the application forwards"),
        lane("v3", "v3,v3,v3", ""),
    ];
    stage.table(&["lane"], &lanes)?;
    stage.kill_pod("mockb-v2")?;
    stage.reaches("mockb-v2 killed, shifted to v1, whose pods call v1", "v2", "v2,v1,v1")?;
    stage.start_pod("mockb-v2")?;
    stage.reaches("mockb-v2 started again", "v2", "v2,v2,v2")
}

fn permissive(stage: &mut Stage) -> Result<()> {
    let lanes = [
        lane("s1", "v1,v1,v1", "the baseline has every service"),
        lane("s2", "v2,v1,v2", "lacks mockb: the baseline's, and back into the lane"),
        lane("s3", "v1,v3,v1", "has mockb and nothing else"),
        lane("", "v1,v1,v1", "a request without a tag is in the baseline"),
    ];
    stage.table(&["lane"], &lanes)?;
    stage.kill_pod("mockc-s2")?;
    stage.reaches("mockc-s2 killed, the baseline's", "s2", "v2,v1,v1")?;
    stage.start_pod("mockc-s2")?;
    stage.reaches("mockc-s2 started again", "s2", "v2,v1,v2")?;
    stage.start_pod("mockb-s2")?;
    stage.reaches("mockb-s2 joins the lane, and nothing is configured anew", "s2", "v2,v2,v2")
}

fn lane(name: &'static str, chain: &'static str, why: &str) -> Row {
    Row { identity: name, facts: Vec::new(), expected: chain, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_excuses_little() {
        assert!(is_by_chance(800, 40) && is_by_chance(860, 40));
        assert!(!is_by_chance(667, 40) && !is_by_chance(0, 30));
    }

    #[test]
    fn every_lane_group_is_shown() {
        let mut names = WALKTHROUGHS.map(|walkthrough| walkthrough.name);
        let mut groups = local_mesh::WALKTHROUGHS;
        names.sort_unstable();
        groups.sort_unstable();
        assert_eq!(names, groups);
    }
}
