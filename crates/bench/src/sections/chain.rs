//! Three services, each with a sidecar, behind a gateway: with all filters, and without any.

use std::{fs, net::SocketAddr};

use anyhow::{Context, Result, ensure};
use local_mesh::{Client, Mesh, MeshOptions, Network, Programs, installed_opentelemetry};
use serde_json::Value;

use crate::{
    bench::Bench,
    cores,
    goals::{self, Goal},
    load::{self, Answered, Headers, Target},
    proxy,
    report::Section,
    statistics::{Estimate, ratio},
};

const WALKTHROUGH: &str = "user-segment";
/// bob stays in the baseline with and without filters, so that both chains are the same.
const REQUEST: Headers = &[("x-user-id", "bob"), ("baggage", "tenant=7,session=42")];
/// So many that the rate hardly misses one which waits for its answer.
const CONNECTIONS: u32 = 64;
const METHOD: &str = "The files of the walkthrough user-segment as they are rendered: a gateway and a sidecar with each of three \
     services, on one core together with the services; once with the filters taken out, once with baggage propagation added in \
     every sidecar, so that all three are there";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    let meshes = [start(bench, &remove_filters)?, start(bench, &add_baggage)?];
    prove(&meshes)?;
    let targets = [target(&meshes[0])?, target(&meshes[1])?];
    let sustained = [sustained(bench, targets[0])?, sustained(bench, targets[1])?];
    let rate = f64::min(sustained[0], sustained[1]) / 2.0;

    // Both are slow, so that a 99th percentile takes longer to show.
    let (rounds, seconds) = (2 * bench.pace.rounds, 2 * bench.pace.seconds);
    let mut answers: [Vec<Answered>; 2] = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        eprintln!("round {} of {rounds}: {rate:.0} requests per second", round + 1);
        let mut turns: Vec<_> = targets.iter().zip(&mut answers).collect();
        // Whoever comes first in one round comes last in the next.
        turns.rotate_left(round % 2);
        for (target, answers) in turns {
            answers.extend(load::ask(bench, &[paced(*target, rate)], seconds)?);
        }
    }
    prove(&meshes)?;

    let all = |of: fn(&Answered) -> f64| answers.each_ref().map(|answers| answers.iter().map(of).collect::<Vec<_>>());
    let ([half, half_filtered], [p99, p99_filtered]) = (all(|answered| answered.p50), all(|answered| answered.p99));
    let p99_ratio = ratio(&p99_filtered, &p99);
    let quantities = ["p50, µs", "p99, µs", "p50 × no filters", "p99 × no filters"];
    let mut section = Section::new("A chain of three services", &quantities, &[METHOD]);
    section.row("no filters", &[Estimate::of(&half), Estimate::of(&p99)]);
    let filtered = [Estimate::of(&half_filtered), Estimate::of(&p99_filtered), ratio(&half_filtered, &half), p99_ratio];
    section.row("all filters", &filtered);
    section.method.push(format!(
        "Latency, in turn, at {rate:.0} requests per second, at which the slower chain keeps its core half busy. Each of \
         {CONNECTIONS} connections waits between an answer and its next request for {:.0} ms on average, exponentially \
         distributed: so requests come whether or not others have been answered",
        paced(targets[0], rate).pause
    ));
    Ok((section, vec![goals::CHAIN.goal(p99_ratio)]))
}

/// Requests per second at which the core of the proxies would have no time left.
///
/// Throughput in a closed loop is more than that: under load, requests are handled in batches. So the core is looked at
/// while it has a quarter of that to do.
fn sustained(bench: &Bench, target: Target) -> Result<f64> {
    let ask = |target| -> Result<f64> {
        let answered = load::ask(bench, &[target], 2 * bench.pace.seconds)?;
        Ok(answered.iter().map(|answered| f64::from(answered.requests) * 1e6 / answered.duration).sum())
    };
    let closed = ask(target)?;
    let before = cores::ticks(bench.cores.proxies)?;
    let rate = ask(paced(target, closed / 4.0))?;
    let after = cores::ticks(bench.cores.proxies)?;
    Ok(rate / (1.0 - (after.1 - before.1) / (after.0 - before.0)))
}

fn paced(target: Target, rate: f64) -> Target {
    Target { pause: f64::from(CONNECTIONS) * 1e3 / rate, ..target }
}

/// Its gateway, in a closed loop.
fn target(mesh: &Mesh) -> Result<Target> {
    let url = mesh.gateway_url()?;
    let address: Option<SocketAddr> = url.strip_prefix("http://").and_then(|address| address.parse().ok());
    let address = address.with_context(|| format!("no address in {url}"))?;
    Ok(Target { address, path: "/mock", headers: REQUEST, numbers: 1, connections: CONNECTIONS, pause: 0.0 })
}

/// jessie is sent elsewhere, by the filters alone.
fn prove(meshes: &[Mesh]) -> Result<()> {
    for (mesh, jessie) in meshes.iter().zip(["v1,v1,v1", "v1,v1,v2"]) {
        let client = Client::new(mesh.gateway_url()?);
        for (user, expected) in [("bob", "v1,v1,v1"), ("jessie", jessie)] {
            let chain = client.send("GET", &[("x-user-id", user)])?.outcome();
            ensure!(chain == expected, "{user} should reach {expected}, and reaches {chain}: not measured");
        }
    }
    Ok(())
}

/// Starts the walkthrough with `change` made to every list of filters.
fn start(bench: &Bench, change: &dyn Fn(&mut Vec<Value>)) -> Result<Mesh> {
    let envoy = bench.repository.join("envoy");
    let configuration = tempfile::tempdir()?;
    for entry in fs::read_dir(envoy.join(WALKTHROUGH))? {
        let path = entry?.path();
        let mut config = proxy::read(&path)?;
        proxy::change_filters(&mut config, change);
        // As JSON, which YAML includes.
        fs::write(configuration.path().join(path.file_name().unwrap_or_default()), config.to_string())?;
    }
    // That walkthrough has another route header.
    let baggage = proxy::read(&envoy.join("permissive-baggage/baggage-propagation.yaml"))?.to_string();
    let baggage = baggage.replace("\\\"version\\\"", "\\\"x-asm-prefer-tag\\\"");
    fs::write(configuration.path().join("baggage-propagation.yaml"), baggage)?;

    let programs = Programs {
        envoy: bench.envoy.clone(),
        modules: bench.programs.dist.clone(),
        mock_service: bench.programs.mock_service.clone(),
        python: bench.repository.join("sample/opentelemetry/application.py"),
        opentelemetry: installed_opentelemetry(&bench.repository),
    };
    let mut options = MeshOptions::walkthrough(&bench.repository, WALKTHROUGH, programs, Network::Free)?;
    options.configuration = configuration.path().to_owned();
    bench.cores.for_proxies(|| Mesh::start(options))
}

fn remove_filters(filters: &mut Vec<Value>) {
    filters.retain(|filter| filter.get("config_discovery").is_none());
}

/// Where traces are propagated, with the same discovery.
fn add_baggage(filters: &mut Vec<Value>) {
    let text = filters.iter().map(Value::to_string).find(|filter| filter.contains("trace-propagation"));
    let baggage =
        text.and_then(|text| serde_json::from_str(&text.replace("trace-propagation", "baggage-propagation")).ok());
    filters.splice(..0, baggage);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn baggage_is_added_to_a_sidecar_and_everything_discovered_removed() {
        let discovered = |name: &str| json!({"name": name, "config_discovery": {"path": format!("./{name}.yaml")}});
        let with = |names: &[&str]| {
            let discovered = names.iter().map(|name| discovered(name));
            json!([{"http_filters": discovered.chain([json!({"name": "router"})]).collect::<Vec<_>>()}])
        };
        let mut sidecar = with(&["trace-propagation"]);
        proxy::change_filters(&mut sidecar, &add_baggage);
        assert_eq!(sidecar, with(&["baggage-propagation", "trace-propagation"]));
        proxy::change_filters(&mut sidecar, &remove_filters);
        assert_eq!(sidecar, with(&[]));
    }
}
