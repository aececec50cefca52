//! The walkthrough `permissive-baggage`: lanes through an application that knows nothing of them.

use std::{collections::BTreeMap, thread};

use anyhow::{Result, anyhow};
use local_mesh::{Client, Mesh};

use super::{chain, go_on, table::Table};
use crate::console;

/// A lane as it is published: who carries it, and how much of the traffic the gateway gives it.
struct Lane {
    name: &'static str,
    chain: &'static str,
    percent: u32,
    why: &'static str,
}

const LANES: [Lane; 3] = [
    Lane { name: "v1", chain: "v1,v1,v1", percent: 40, why: "the baseline has every service" },
    Lane { name: "v2", chain: "v2,v1,v2", percent: 30, why: "lacks mockb: the baseline's, and back into the lane" },
    Lane { name: "v3", chain: "v3,v3,v1", percent: 30, why: "lacks mockc: the baseline's" },
];

const REQUESTS: u32 = 2000;
const CLIENTS: u32 = 4;

/// Shows where the lanes lead and how the gateway fills them; true if both are as published.
pub(super) fn play(mesh: &Mesh) -> Result<bool> {
    let client = Client::new(mesh.gateway_url()?);
    console::heading("Lanes behind an application under OpenTelemetry, which forwards baggage and nothing else");
    let lanes = lanes(&client)?;

    console::heading(&format!("{REQUESTS} requests without a tag: the gateway chooses the lane, 40:30:30"));
    let shares = shares(&client)?;
    console::verdict(lanes && shares, "everything as published", "not everything was as published");
    Ok(lanes && shares)
}

/// What somebody may want to do while the mesh runs.
pub(super) fn to_try(gateway: &str) -> String {
    format!(
        "Which lane does the gateway choose? And how far does a lane of yours get?

  curl {gateway}/mock
  curl -H 'version: v2' {gateway}/mock

The application forwards no header; its OpenTelemetry SDK forwards baggage.

What the filter of mocka's sidecar did:

  curl -s http://127.0.1.12:9901/stats/prometheus | grep baggage_propagation"
    )
}

fn lanes(client: &Client) -> Result<bool> {
    let mut table = Table::new(["lane", "mocka,b,c", "why"]);
    for lane in &LANES {
        let chain = chain(client, &[("version", lane.name)])?;
        let is_as_expected = chain == lane.chain;
        table.row([lane.name.to_owned(), chain, lane.why.to_owned()], lane.chain, is_as_expected);
    }
    table.print();
    Ok(table.is_as_expected())
}

/// Every request is to take the whole chain of one lane, and every lane to get its share but for chance.
fn shares(client: &Client) -> Result<bool> {
    let mut counts = count(client)?;
    let mut table = Table::new(["lane", "mocka,b,c", "requests", "percent"]);
    for lane in &LANES {
        let count = counts.remove(lane.chain).unwrap_or_default();
        let percent = format!("{:.1}", 100.0 * f64::from(count) / f64::from(REQUESTS));
        let cells = [lane.name.to_owned(), lane.chain.to_owned(), count.to_string(), percent];
        table.row(cells, lane.percent.to_string(), is_by_chance(count, lane.percent));
    }
    for (chain, count) in counts {
        table.row([String::new(), chain, count.to_string(), String::new()], "none", false);
    }
    table.print();
    Ok(table.is_as_expected())
}

/// Within five standard deviations: a fair split leaves them once in a million.
fn is_by_chance(count: u32, percent: u32) -> bool {
    let share = f64::from(percent) / 100.0;
    let expected = f64::from(REQUESTS) * share;
    (f64::from(count) - expected).abs() < 5.0 * (expected * (1.0 - share)).sqrt()
}

/// How many of the requests took which chain.
fn count(client: &Client) -> Result<BTreeMap<String, u32>> {
    let send =
        || (0..REQUESTS / CLIENTS).map(|_| go_on().and_then(|()| chain(client, &[]))).collect::<Result<Vec<_>>>();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(send)).collect();
        let mut counts = BTreeMap::new();
        for client in clients {
            for chain in client.join().map_err(|_| anyhow!("a client panicked"))?? {
                *counts.entry(chain).or_default() += 1;
            }
        }
        Ok(counts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_excuses_little() {
        assert!(is_by_chance(800, 40) && is_by_chance(860, 40));
        assert!(!is_by_chance(667, 40) && !is_by_chance(0, 30));
    }
}
