//! From configuration to the first request: a listener is moved into the file that an Envoy watches.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use local_mesh::{Envoy, EnvoyConfig};
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    goals::Goal,
    load::{Request, Upstream, ask, header},
    proxy::{Listener, SHOW, SHOWN},
    report::Section,
    statistics::{Estimate, added},
    subject::Subject,
    subjects::{FLOOR, LUA, NONE, PLAIN, RELEASE, hash_tagging},
};

const LIMIT: Duration = Duration::from_secs(30);
/// How finely the time is told.
const POLL: Duration = Duration::from_micros(500);
const STEP: &str = "from configuration to the first request";

pub(super) fn run(bench: &Bench) -> Result<(Section, Vec<Goal>)> {
    bench.progress.step(STEP)?;
    let subjects = hash_tagging(bench, Upstream::start()?.address)?;
    let names = [NONE, FLOOR, LUA, PLAIN, RELEASE];
    let mut times = names.map(|name| (name, Vec::new()));
    for round in 0..bench.pace.starts {
        bench.progress.round(STEP, round, bench.pace.starts)?;
        for (name, times) in &mut times {
            let subject = subjects.iter().find(|subject| subject.name == *name).context("a variant is missing")?;
            times.push(first_request(bench, subject)?.as_secs_f64() * 1e3);
        }
    }
    let mut section = Section::new(
        "start",
        "From configuration to the first request",
        &[
            "Milliseconds from when a listener is moved into the file that an Envoy watches (LDS) until a request is answered \
           with the right tag, in turn; every time another Envoy, which has compiled nothing yet",
        ],
    );
    let without = times.first().map(|(_, times)| times.clone()).unwrap_or_default();
    for (name, times) in &times {
        section.add(name, "ms", Estimate::of(times));
        if *name != NONE {
            section.add(name, "added, ms", Estimate::of(&added(times, &without)));
        }
    }
    Ok((section, Vec::new()))
}

fn first_request(bench: &Bench, subject: &Subject) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let watched = folder.path().join("listeners.json");
    fs::write(&watched, discovery(&[]))?;
    let envoy = bench.cores.for_proxies(|| {
        Envoy::builder(&bench.envoy, EnvoyConfig::Text(bootstrap(&watched).to_string())).name(&subject.name).start()
    })?;
    let listener = subject.proxy.listeners.first().context("a subject without a listener")?;
    let address = free_address()?;
    let aside = folder.path().join("listeners.json.new");
    fs::write(&aside, discovery(&[listener_resource(listener, address)]))?;

    let start = Instant::now();
    fs::rename(&aside, &watched)?;
    while TcpStream::connect(address).is_err() {
        ensure!(start.elapsed() < LIMIT, "no listener within {LIMIT:?}: {}", envoy.log());
        thread::sleep(POLL);
    }
    let headers = vec![header("x-user-id", "jessie")];
    let answer = ask(address, &Request { path: SHOW, headers, numbers: 1 })?;
    let took = start.elapsed();
    let expected = if subject.name == NONE { "" } else { "s2" };
    ensure!(answer.header(SHOWN) == expected, "{}: the first request shows {:?}", subject.name, answer.header(SHOWN));
    Ok(took)
}

fn bootstrap(watched: &Path) -> Value {
    json!({
        "node": {"id": "bench", "cluster": "bench"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            "lds_config": {"resource_api_version": "V3", "path_config_source": {"path": watched}},
        },
    })
}

fn discovery(resources: &[Value]) -> String {
    json!({"resources": resources}).to_string()
}

fn listener_resource(listener: &Listener, address: SocketAddr) -> Value {
    let mut resource = listener.config(address);
    if let Some(resource) = resource.as_object_mut() {
        resource.insert("@type".to_owned(), "type.googleapis.com/envoy.config.listener.v3.Listener".into());
    }
    resource
}

/// Nobody else is likely to take it in the next moments.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
