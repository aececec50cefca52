//! One Envoy that is the sidecar of a pod: for every configuration an inbound and an outbound listener, and one that does
//! not say.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Context, Result, ensure};
use header_edit::{Direction, HeaderList};
use local_mesh::{Envoy, EnvoyConfig};
use serde_json::{Value, json};

use crate::{
    echo::Echo,
    http1, repository,
    wasm_listeners::{bootstrap, listener},
};

/// A sidecar in front of an [`Echo`].
pub struct Sidecar {
    /// The Envoy.
    pub envoy: Envoy,
    listeners: BTreeMap<String, SocketAddr>,
}

/// What inbound requests reach.
#[derive(Clone, Copy, Debug)]
pub enum Behind {
    /// The same as outbound ones.
    Echo,
    /// An application at this address.
    Application(SocketAddr),
    /// Nothing: Envoy itself answers, outbound requests too.
    Nothing,
}

impl Sidecar {
    /// Starts an Envoy with this many workers. `filters` are HTTP filters, such as
    /// [`wasm`](crate::wasm_listeners::wasm) builds them, with the names of their listeners.
    ///
    /// # Errors
    /// There is no Envoy, or it does not start; with the end of its log.
    pub fn start<'a>(
        workers: u32,
        behind: Behind,
        filters: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<Self> {
        let mut listeners = Vec::new();
        for (name, filter) in filters {
            for direction in [Some(Direction::Inbound), Some(Direction::Outbound), None] {
                let name = listener_name(name, direction);
                let listener = directed(listener(&name, &filter), &name, direction, behind)?;
                listeners.push((name, listener));
            }
        }
        let (names, listeners): (Vec<String>, Vec<Value>) = listeners.into_iter().unzip();
        let mut config = bootstrap(&listeners, &Echo::start()?);
        if let Behind::Application(address) = behind {
            add_cluster(&mut config, "application", address)?;
        }
        let config = EnvoyConfig::Text(config.to_string());
        let envoy = Envoy::builder(Envoy::binary(repository())?, config).concurrency(workers).start()?;
        let address = |name: String| Ok((name.clone(), envoy.listener_address(&name)?));
        let listeners = names.into_iter().map(address).collect::<Result<_>>()?;
        Ok(Self { envoy, listeners })
    }

    /// Where a configuration's listener listens.
    ///
    /// # Errors
    /// There is no such configuration.
    pub fn address(&self, name: &str, direction: Option<Direction>) -> Result<SocketAddr> {
        let name = listener_name(name, direction);
        self.listeners.get(&name).copied().with_context(|| format!("no listener {name}"))
    }

    /// Sends a request and says what arrived behind the listener.
    ///
    /// # Errors
    /// There is no such configuration, or it did not answer 200.
    pub fn arrived(&self, name: &str, direction: Option<Direction>, request: &HeaderList) -> Result<HeaderList> {
        let response = http1::send(self.address(name, direction)?, request)?;
        ensure!(response.status == 200, "{}: {}", response.status, response.body.escape_ascii());
        http1::decode(&response.body)
    }

    /// How many connections the listener has got so far, worker by worker.
    ///
    /// # Errors
    /// Envoy does not answer.
    pub fn connections(&self, name: &str, direction: Option<Direction>, workers: u32) -> Result<Vec<u64>> {
        let name = listener_name(name, direction);
        let connections = |worker| {
            let counter = format!("listener.{name}.worker_{worker}.downstream_cx_total");
            Ok(self.envoy.counter(&counter)?.unwrap_or_default())
        };
        (0..workers).map(connections).collect()
    }
}

/// A listener that says which way requests go, and counts its connections under its name.
fn directed(mut listener: Value, name: &str, direction: Option<Direction>, behind: Behind) -> Result<Value> {
    const ROUTE: &str = "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0";
    set(&mut listener, "", "stat_prefix", name.into())?;
    if let Some(direction) = direction {
        set(&mut listener, "", "traffic_direction", format!("{direction:?}").to_uppercase().into())?;
    }
    match (behind, direction) {
        (Behind::Application(_), Some(Direction::Inbound)) => {
            set(&mut listener, &format!("{ROUTE}/route"), "cluster", "application".into())?;
        }
        (Behind::Nothing, _) => {
            let route = listener.pointer_mut(ROUTE).context("the listener has no route")?;
            *route = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
        }
        _ => {}
    }
    Ok(listener)
}

fn listener_name(name: &str, direction: Option<Direction>) -> String {
    let direction = direction.map_or_else(|| "neither".to_owned(), |direction| format!("{direction:?}").to_lowercase());
    format!("{name}-{direction}")
}

/// A cluster like the one that is there, but with another name and address.
fn add_cluster(config: &mut Value, name: &str, address: SocketAddr) -> Result<()> {
    const ENDPOINT: &str = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    let clusters = config.pointer_mut("/static_resources/clusters").and_then(Value::as_array_mut);
    let clusters = clusters.context("no clusters")?;
    let mut cluster = clusters.first().context("no cluster")?.clone();
    set(&mut cluster, "", "name", name.into())?;
    set(&mut cluster, "/load_assignment", "cluster_name", name.into())?;
    set(&mut cluster, ENDPOINT, "port_value", address.port().into())?;
    clusters.push(cluster);
    Ok(())
}

fn set(config: &mut Value, pointer: &str, field: &str, value: Value) -> Result<()> {
    let object = config.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.with_context(|| format!("nothing at `{pointer}`"))?.insert(field.to_owned(), value);
    Ok(())
}
