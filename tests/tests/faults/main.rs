//! Faults under load in every walkthrough: what befalls a lane's only pod, and what befalls everybody. Prints what came of it,
//! and with `CHAOS_TABLE` writes it there, after more of everything.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fault;
mod table;
mod verdict;
mod whole;

use std::{
    env, fs,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Trial};
use local_mesh::{Client, Mesh, wait_until};
use traffic_lanes_tests::{
    load::{Stream, while_requests_flow},
    walkthrough::{Lane, ask, lanes, start},
};

use fault::Fault;
use table::{Row, Table};
use verdict::{Rules, Step};
use whole::{Cost, Extent};

const LIMIT: Duration = Duration::from_secs(60);
/// In the walkthroughs that fall back: 21 with those of the one below, whose Pythons take their time to start.
const KILLS: usize = 6;
const KILLS_OF_PYTHON: usize = 3;
/// At least, in each of the three steps of a fault: with 21 kills, more than ten thousand requests.
const REQUESTS: usize = 160;
/// At once, as most of the time is spent waiting for somebody to notice. Not more: an Envoy takes two or three inotify
/// instances, of which Linux allows a user 128 by default, and aborts without.
const MESHES: usize = 3;
/// Where the table goes.
const CHAOS_TABLE: &str = "CHAOS_TABLE";
const SHORT: Extent = Extent { updates: 60, tags: 1_000, ids: 2_000 };
const WHOLE: Extent = Extent { updates: 1_000, tags: 10_000, ids: 20_000 };
/// PUT and the like may be sent twice, POST and PATCH may not.
const METHODS: [&str; 5] = ["GET", "PUT", "DELETE", "POST", "PATCH"];

/// A walkthrough, and the pods that something happens to.
struct Plan {
    walkthrough: &'static str,
    victims: &'static [Victim],
    kills: usize,
    /// What befalls each victim besides.
    others: &'static [Fault],
}

/// The only pod of its service in its lane.
struct Victim {
    pod: &'static str,
    /// What requests of the lane reach without it: the beginning of a chain or of a failure.
    without: &'static str,
}

const FEW: [Fault; 2] = [Fault::TakenAway, Fault::HangsUp];

/// Those that take longest first.
const PLANS: [Plan; 5] = [
    Plan {
        walkthrough: "permissive-baggage",
        victims: &[
            Victim { pod: "mocka-v2", without: "v1,v1,v2" },
            Victim { pod: "mockb-v3", without: "v3,v1,v1" },
            Victim { pod: "mockc-v2", without: "v2,v1,v1" },
        ],
        kills: KILLS_OF_PYTHON,
        others: &FEW,
    },
    Plan {
        walkthrough: "user-segment",
        victims: &[Victim { pod: "mockc-s2", without: "v1,v1,v1" }],
        kills: KILLS,
        others: &[
            Fault::TakenAway,
            Fault::HangsUp,
            Fault::Hangs,
            Fault::Refuses,
            Fault::Unavailable,
            Fault::Slow,
            Fault::Flaps,
        ],
    },
    Plan {
        walkthrough: "strict-source-labels",
        victims: &[
            Victim { pod: "mockb-v2", without: "v2,v1,v1" },
            Victim { pod: "mocka-v3", without: "v1,v1,v1" },
            Victim { pod: "mockc-v2", without: "v2,v2,v1" },
        ],
        kills: KILLS,
        others: &FEW,
    },
    Plan {
        walkthrough: "permissive",
        victims: &[
            Victim { pod: "mocka-s2", without: "v1,v1,v2" },
            Victim { pod: "mockb-s3", without: "v1,v1,v1" },
            Victim { pod: "mockc-s2", without: "v2,v1,v1" },
        ],
        kills: KILLS,
        others: &FEW,
    },
    Plan {
        walkthrough: "strict",
        victims: &[
            Victim { pod: "mocka-s2", without: "503" },
            Victim { pod: "mockb-s3", without: "503" },
            Victim { pod: "mockc-s2", without: "503" },
        ],
        kills: 3,
        others: &FEW,
    },
];

fn main() -> ExitCode {
    let table: Arc<Mutex<Table>> = Arc::default();
    let trial = |plan: &'static Plan| {
        let table = table.clone();
        let add = move |row| table.lock().unwrap_or_else(PoisonError::into_inner).add(row);
        Trial::test(plan.walkthrough, move || plan.carry_out(add).map_err(|error| format!("{error:#}").into()))
    };
    let costs: Arc<Mutex<String>> = Arc::new(Mutex::new(whole::HEAD.to_owned()));
    let file = env::var_os(CHAOS_TABLE);
    let extent = if file.is_some() { WHOLE } else { SHORT };
    let of_all = {
        let costs = costs.clone();
        let add = move |cost: Cost| *costs.lock().unwrap_or_else(PoisonError::into_inner) += &cost.to_string();
        let carry_out = move || whole::carry_out(extent, add).map_err(|error| format!("{error:#}").into());
        Trial::test(format!("all of {}", whole::WALKTHROUGH), carry_out)
    };
    let trials = [of_all].into_iter().chain(PLANS.iter().map(trial)).collect();
    let arguments = Arguments { test_threads: Some(MESHES), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, trials);
    let table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let text = format!("{table}\n{}", costs.lock().unwrap_or_else(PoisonError::into_inner));
    println!("{text}");
    if let Some(file) = file {
        fs::write(file, text).unwrap();
    }
    conclusion.exit_code()
}

impl Plan {
    fn carry_out(&self, add: impl Fn(Row)) -> Result<()> {
        let mut mesh = start(self.walkthrough)?;
        let times = if env::var_os(CHAOS_TABLE).is_some() { 2 } else { 1 };
        let killed = self.victims.iter().cycle().take(self.kills * times).map(|victim| (victim, Fault::Killed));
        let others = self.others.iter().flat_map(|fault| self.victims.iter().map(move |victim| (victim, *fault)));
        for (victim, fault) in killed.chain(others) {
            let what = || format!("{}: {} {fault}", self.walkthrough, victim.pod);
            let row = self.inject(&mut mesh, victim, fault).with_context(what)?;
            let wrong = row.wrong.clone();
            add(row);
            ensure!(wrong.is_empty(), "{}: {wrong:#?}", what());
        }
        Ok(())
    }

    /// Under load: the fault happens, lasts, and ends.
    fn inject(&self, mesh: &mut Mesh, victim: &Victim, fault: Fault) -> Result<Row> {
        let observer = Client::new(mesh.gateway_url()?);
        let mut streams = Vec::new();
        let mut rules = Rules::new(victim.pod, victim.without, fault);
        for lane in lanes(self.walkthrough) {
            let is_hit = victim.lane() == lane.name;
            for method in if is_hit { &METHODS[..] } else { &["GET", "POST"] } {
                streams.push(Stream { method, header: lane.header });
                rules.expect(method, lane.chain, is_hit);
            }
        }
        let hit = lanes(self.walkthrough).into_iter().find(|lane| lane.name == victim.lane());
        let hit = hit.with_context(|| format!("{} is in no lane", victim.pod))?;
        let mut row = Row { walkthrough: self.walkthrough, fault, times: 1, ..Row::default() };

        let mut ongoing = None;
        let seen = while_requests_flow(&mesh.gateway_url()?, &streams, |load| {
            load.answers(REQUESTS)?;
            ongoing = Some(fault.begin(mesh, self.walkthrough, victim.pod)?);
            if fault.is_noticed() {
                reaches(&observer, hit, victim.without)?;
            }
            mesh.wait_until_discovered()
        })?;
        rules.judge(Step::Begins, &seen, &mut row);

        let seen = while_requests_flow(&mesh.gateway_url()?, &streams, |load| load.answers(REQUESTS))?;
        rules.judge(Step::Lasts, &seen, &mut row);

        let seen = while_requests_flow(&mesh.gateway_url()?, &streams, |load| {
            ongoing.take().context("the fault is over")?.end(mesh)?;
            let ended = Instant::now();
            reaches(&observer, hit, hit.chain)?;
            row.returned_after = ended.elapsed();
            mesh.wait_until_discovered()?;
            load.answers(REQUESTS)
        })?;
        rules.judge(Step::Ends, &seen, &mut row);
        Ok(row)
    }
}

impl Victim {
    fn lane(&self) -> &str {
        self.pod.rsplit_once('-').map_or("", |(_, lane)| lane)
    }
}

fn reaches(observer: &Client, lane: Lane, expected: &str) -> Result<()> {
    let reached = || Ok(ask(observer, &[lane.header])?.starts_with(expected).then_some(()));
    wait_until(&format!("lane {} reaches {expected}", lane.name), LIMIT, reached)
}
