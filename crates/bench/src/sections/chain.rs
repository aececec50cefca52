//! Three services, each with a sidecar, behind a gateway: with all filters, and without any.

mod files;

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use local_mesh::{Client, Mesh, MeshOptions, Network, Programs, installed_opentelemetry};

use crate::{
    bench::Bench,
    goals::{Goal, Id},
    latency::{self, Entrance, Quantile},
    load::{Request, header},
    report::Section,
};

use files::Filters;

const WALKTHROUGH: &str = "user-segment";
const STEP: &str = "chain of three services";
const CHAIN: [&str; 2] = ["chain, no filters", "chain, all filters"];
const HOP: [&str; 2] = ["one hop, no filters", "one hop, all filters"];
/// Stays in the baseline with and without filters, so that both chains are the same.
const STAYS: &str = "bob";
/// Does not.
const MOVES: &str = "jessie";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    bench.progress.step(&format!("{STEP}: starting two meshes"))?;
    let without = start(bench, Filters::None)?;
    let with = start(bench, Filters::All)?;
    prove(&without, "v1,v1,v1")?;
    prove(&with, "v1,v1,v2")?;

    let mut section = Section::new(
        "chain",
        "A chain of three services",
        &[
            "The files of the walkthrough user-segment as they are rendered: a gateway and a sidecar with each of three services, on \
         one core together with the services; once with the filters taken out, once with baggage propagation added in every \
         sidecar, so that all three are there",
            "One hop: requests straight to the sidecar of the last service",
        ],
    );
    section.plotted = vec!["p99, µs"];
    let mut ratio = None;
    let entrances = [
        (CHAIN, gateway as fn(&Mesh) -> Result<SocketAddr>, bench.pace.chain),
        (HOP, last_sidecar, bench.pace.latency),
    ];
    for (names, entrance, turns) in entrances {
        let entrances: Vec<Entrance> = [&without, &with]
            .into_iter()
            .zip(names)
            .map(|(mesh, name)| Ok(Entrance { name: name.to_owned(), address: entrance(mesh)?, request: request() }))
            .collect::<Result<_>>()?;
        let [no_filters, all_filters] = names;
        let latencies = latency::measure(bench, all_filters, turns, &entrances)?;
        for name in names {
            section.add(name, "p50, µs", latencies.of(name, Quantile::Half));
            section.add(name, "p99, µs", latencies.of(name, Quantile::P99));
        }
        let p99 = latencies.ratio(all_filters, no_filters, Quantile::P99);
        section.add(all_filters, "p50 × no filters", latencies.ratio(all_filters, no_filters, Quantile::Half));
        section.add(all_filters, "p99 × no filters", p99);
        section.method.push(latencies.method());
        // The goal is the chain's, which comes first.
        ratio = ratio.or(Some(p99));
    }
    prove(&without, "v1,v1,v1")?;
    prove(&with, "v1,v1,v2")?;
    Ok((section, vec![Goal::new(Id::Chain, ratio.flatten())]))
}

fn start(bench: &Bench, filters: Filters) -> Result<Mesh> {
    let configuration = files::copy(&bench.repository.join("envoy"), WALKTHROUGH, filters)?;
    let programs = Programs {
        envoy: bench.envoy.clone(),
        modules: bench.modules.release.clone(),
        mock_service: bench.mock_service.clone(),
        python: bench.repository.join("sample/opentelemetry/application.py"),
        opentelemetry: installed_opentelemetry(&bench.repository),
    };
    let mut options = MeshOptions::walkthrough(&bench.repository, WALKTHROUGH, programs, Network::Free)?;
    options.configuration = configuration.path().to_owned();
    bench.cores.for_proxies(|| Mesh::start(options))
}

/// The versions that `MOVES` reaches show whether there are filters; `STAYS` must see no difference.
fn prove(mesh: &Mesh, moves: &str) -> Result<()> {
    let client = Client::new(mesh.gateway_url()?);
    for (user, expected) in [(STAYS, "v1,v1,v1"), (MOVES, moves)] {
        let chain = client.send("GET", &[("x-user-id", user)])?.outcome();
        ensure!(chain == expected, "{user} should reach {expected}, and reaches {chain}: not measured");
    }
    Ok(())
}

fn request() -> Request {
    let headers = vec![header("x-user-id", STAYS), header("baggage", "tenant=7,session=42")];
    Request { path: "/mock", headers, numbers: 1 }
}

fn gateway(mesh: &Mesh) -> Result<SocketAddr> {
    let url = mesh.gateway_url()?;
    let address = url.strip_prefix("http://").and_then(|address| address.parse().ok());
    address.with_context(|| format!("no address in {url}"))
}

fn last_sidecar(mesh: &Mesh) -> Result<SocketAddr> {
    mesh.pod("mockc-s1")?.envoy()?.listener_address("inbound")
}
