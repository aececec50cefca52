use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use ureq::Agent;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The administration interface of one Envoy.
#[derive(Debug)]
pub(crate) struct Admin {
    address: SocketAddr,
    agent: Agent,
}

impl Admin {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            // The environment may name a proxy that cannot reach this machine's loopback.
            .proxy(None);
        Self { address, agent: config.build().into() }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.agent.get(self.url("/ready")).call().is_ok_and(|response| response.status() == 200)
    }

    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let url = self.url(path);
        let mut response = self.agent.get(&url).call().with_context(|| format!("GET {url}"))?;
        let status = response.status();
        let body = response.body_mut().read_to_string().with_context(|| format!("GET {url}"))?;
        ensure!(status == 200, "GET {url}: {status} {body}");
        Ok(body)
    }

    pub(crate) fn listener_address(&self, name: &str) -> Result<SocketAddr> {
        let listeners = self.get_json("/listeners?format=json")?;
        let statuses = array(&listeners, "/listener_statuses");
        let listener = statuses.iter().find(|status| status.pointer("/name").is_some_and(|value| value == name));
        listener
            .and_then(|status| socket_address(status, "/local_address"))
            .with_context(|| format!("no listener {name:?} in {listeners}"))
    }

    pub(crate) fn counter(&self, name: &str) -> Result<Option<u64>> {
        let stats = self.get("/stats")?;
        let value = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(|value| value.parse().with_context(|| format!("{name} is not a number: {value}"))).transpose()
    }

    /// What this proxy thinks of every host of its clusters: the address, and whether it would send requests there.
    pub(crate) fn hosts(&self) -> Result<Vec<(IpAddr, bool)>> {
        let clusters = self.get_json("/clusters?format=json")?;
        let clusters = array(&clusters, "/cluster_statuses").iter();
        let hosts = clusters.flat_map(|cluster| array(cluster, "/host_statuses"));
        Ok(hosts
            .filter_map(|host| {
                let failed = |flag: &str| host.pointer("/health_status")?.get(flag)?.as_bool();
                let healthy = failed("failed_active_health_check") != Some(true);
                Some((socket_address(host, "/address")?.ip(), healthy))
            })
            .collect())
    }

    fn get_json(&self, path: &str) -> Result<Value> {
        serde_json::from_str(&self.get(path)?).with_context(|| format!("{} is not JSON", self.url(path)))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The array at `pointer`; empty where there is none, as Envoy leaves empty fields out.
fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Reads a `core.v3.Address`.
pub(crate) fn socket_address(value: &Value, pointer: &str) -> Option<SocketAddr> {
    let socket = value.pointer(pointer)?.get("socket_address")?;
    let ip: IpAddr = socket.get("address")?.as_str()?.parse().ok()?;
    let port = socket.get("port_value")?.as_u64()?;
    Some(SocketAddr::new(ip, u16::try_from(port).ok()?))
}
