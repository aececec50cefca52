//! What happens to the gateway, to the baseline or to everybody at once, in the walkthrough user-segment.

use std::{
    fmt, fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};
use hash_tagging::fnv1a32;
use local_mesh::{Client, Mesh, wait_until};
use traffic_lanes_tests::{
    load::Seen,
    repository,
    walkthrough::{Lane, ask, lanes, start},
};

use crate::reaches;

pub(crate) const WALKTHROUGH: &str = "user-segment";
const CONFIGURATION: &str = "hash-tagging.yaml";
const LIMIT: Duration = Duration::from_secs(60);
/// In each lane, before and after what happens.
const REQUESTS: usize = 100;
/// Who sends what is counted, at once.
const SENDERS: usize = 6;
const NOBODY: &str = "nobody answers";

/// How much of each.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) updates: usize,
    pub(crate) tags: usize,
    pub(crate) ids: usize,
}

/// What something cost.
pub(crate) struct Cost {
    what: String,
    sent: usize,
    /// The client's connection was refused or ended.
    unanswered: usize,
    /// Answered with 503 or 504.
    failed: usize,
    /// In another lane than the user's, or any other answer.
    wrong: Vec<String>,
}

/// All of it, one after the other.
pub(crate) fn carry_out(extent: Extent, add: impl Fn(Cost)) -> Result<()> {
    let mut mesh = start(WALKTHROUGH)?;
    let of_nothing = |cost: Cost| {
        let Cost { what, unanswered, failed, wrong, .. } = &cost;
        ensure!((*unanswered, *failed) == (0, 0) && wrong.is_empty(), "{what}: {unanswered}, {failed}, {wrong:?}");
        add(cost);
        Ok(())
    };
    of_nothing(updates(&mesh, extent.updates)?)?;
    of_nothing(counted(&mesh, &format!("{} tags that clients invent", extent.tags), extent.tags, |number| {
        vec![("x-user-id", format!("user-{}", number % 100)), ("x-asm-prefer-tag", format!("s{number}"))]
    })?)?;
    of_nothing(counted(&mesh, &format!("{} ids: more than the trace table has", extent.ids), extent.ids, |number| {
        vec![("x-user-id", format!("user-{number}"))]
    })?)?;

    let cost =
        while_asked("the baseline of a service that every lane needs is gone, and comes back", &mut mesh, |mesh| {
            mesh.kill_pod("mockb-s1")?;
            mesh.wait_until_discovered()?;
            mesh.start_pod("mockb-s1")
        })?;
    ensure!(cost.failed > 0 && cost.unanswered == 0 && cost.wrong.is_empty(), "{}: {:?}", cost.what, cost.wrong);
    add(cost);
    let cost = while_asked("the gateway is killed, and starts cold", &mut mesh, |mesh| {
        mesh.kill_pod("gateway")?;
        mesh.start_pod("gateway")
    })?;
    ensure!(cost.unanswered > 0 && cost.wrong.is_empty(), "{}: {:?}", cost.what, cost.wrong);
    add(cost);
    Ok(())
}

/// Good configurations and bad ones in turn: the same users stay in the same lanes.
fn updates(mesh: &Mesh, times: usize) -> Result<Cost> {
    let good = fs::read_to_string(repository().join("envoy").join(WALKTHROUGH).join(CONFIGURATION))?;
    let bad = good.replace("\"modulo\": 100", "\"modulo\": 0");
    let gateway = mesh.pod("gateway")?.envoy()?;
    let taken = || -> Result<u64> {
        let stats = gateway.admin_get("/stats?filter=hash-tagging.config_reload$")?;
        Ok(stats.lines().filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    };
    ensure!(bad != good && taken()? > 0, "nothing is updated");
    asked(&format!("{times} updates of the gateway's filter, every other one refused"), &mesh.gateway_url()?, || {
        for number in 0..times {
            let before = taken()?;
            // The text differs each time: what is the same Envoy does not take again.
            let text = if number % 2 == 0 { &bad } else { &good };
            mesh.update(
                CONFIGURATION,
                &text.replace("\"x-user-id\"", &format!("\"x-user-id\"{}", " ".repeat(number % 7))),
            )?;
            wait_until("the gateway takes the update", LIMIT, || Ok((taken()? > before).then_some(())))?;
        }
        Ok(())
    })
}

fn while_asked(what: &str, mesh: &mut Mesh, happens: impl FnOnce(&mut Mesh) -> Result<()>) -> Result<Cost> {
    let gateway = mesh.gateway_url()?;
    asked(what, &gateway, || {
        happens(mesh)?;
        mesh.wait_until_discovered()?;
        let client = Client::new(&gateway);
        lanes(WALKTHROUGH).into_iter().try_for_each(|lane| reaches(&client, lane, lane.chain))
    })
}

/// Users of every lane ask before, while and after it happens.
fn asked(what: &str, gateway: &str, happens: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let send = |lane: Lane| {
        let (client, mut seen) = (Client::new(gateway), Seen::new());
        while !is_over.load(Ordering::Relaxed) {
            let outcome = ask(&client, &[lane.header]).unwrap_or_else(|_| NOBODY.to_owned());
            *seen.entry(outcome).or_default() += 1;
            answered.fetch_add(1, Ordering::Relaxed);
        }
        (lane, seen)
    };
    let (send, is_over, answered) = (&send, &is_over, &answered);
    let enough = || {
        let enough = answered.load(Ordering::Relaxed) + REQUESTS;
        wait_until("requests flow", LIMIT, || Ok((answered.load(Ordering::Relaxed) >= enough).then_some(())))
    };
    let seen = thread::scope(|scope| {
        let senders: Vec<_> = lanes(WALKTHROUGH).into_iter().map(|lane| scope.spawn(move || send(lane))).collect();
        let happened = enough().and_then(|()| happens()).and_then(|()| enough());
        is_over.store(true, Ordering::Relaxed);
        let seen: Vec<_> =
            senders.into_iter().map(|sender| sender.join().map_err(|_| anyhow!("a sender panicked"))).collect();
        happened.and_then(|()| seen.into_iter().collect::<Result<Vec<_>>>())
    })?;
    let mut cost = Cost::nothing(what);
    for (lane, seen) in seen {
        seen.into_iter().for_each(|(outcome, count)| cost.add(lane.chain, &outcome, count));
    }
    Ok(cost)
}

/// So many requests, each of which must be in its user's lane.
fn counted(
    mesh: &Mesh,
    what: &str,
    count: usize,
    request: impl Fn(usize) -> Vec<(&'static str, String)> + Sync,
) -> Result<Cost> {
    let (gateway, request) = (mesh.gateway_url()?, &request);
    let part = |sender: usize| {
        let (client, mut cost) = (Client::new(&gateway), Cost::nothing(what));
        for number in (sender..count).step_by(SENDERS) {
            let headers = request(number);
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let is_canary = headers.first().is_some_and(|(_, user)| fnv1a32(user.as_bytes()) % 100 < 20);
            let outcome = ask(&client, &headers).unwrap_or_else(|_| NOBODY.to_owned());
            cost.add(if is_canary { "v1,v1,v2" } else { "v1,v1,v1" }, &outcome, 1);
        }
        cost
    };
    let part = &part;
    let parts = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|sender| scope.spawn(move || part(sender))).collect();
        senders
            .into_iter()
            .map(|sender| sender.join().map_err(|_| anyhow!("a sender panicked")))
            .collect::<Result<Vec<_>>>()
    })?;
    Ok(parts.into_iter().fold(Cost::nothing(what), |mut sum, part| {
        sum.sent += part.sent;
        sum.unanswered += part.unanswered;
        sum.failed += part.failed;
        sum.wrong.extend(part.wrong);
        sum
    }))
}

impl Cost {
    fn nothing(what: &str) -> Self {
        Self { what: what.to_owned(), sent: 0, unanswered: 0, failed: 0, wrong: Vec::new() }
    }

    fn add(&mut self, expected: &str, outcome: &str, count: usize) {
        self.sent += count;
        match outcome {
            _ if outcome == expected => {}
            NOBODY => self.unanswered += count,
            _ if outcome.starts_with("503") || outcome.starts_with("504") => self.failed += count,
            _ => self.wrong.push(format!("{count} × {outcome} for {expected}")),
        }
    }
}

pub(crate) const HEAD: &str =
    "| what happens | sent | nobody answered | 503 or 504 | in a wrong lane |\n|---|---:|---:|---:|---:|\n";

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, sent, unanswered, failed, wrong } = self;
        writeln!(f, "| {what} | {sent} | {unanswered} | {failed} | {} |", wrong.len())
    }
}
