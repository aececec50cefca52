//! One Envoy that is the sidecar of a pod: for every configuration an inbound and an outbound listener, and one that does
//! not say.

use std::{net::SocketAddr, slice};

use anyhow::{Context, Result};
use header_edit::{Direction, HeaderList};
use local_mesh::Envoy;
use serde_json::{Value, json};

use crate::wasm_listeners::{WasmListeners, bootstrap, builder, cluster, listener};

/// A sidecar in front of an [`Echo`](crate::echo::Echo).
pub struct Sidecar(WasmListeners);

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
                let listener = behind.listener(&name, direction, &filter)?;
                listeners.push((name, listener));
            }
        }
        let (names, listeners): (Vec<String>, Vec<Value>) = listeners.into_iter().unzip();
        let mut config = bootstrap(&listeners)?;
        if let Behind::Application(address) = behind {
            let clusters = config.pointer_mut("/static_resources/clusters").and_then(Value::as_array_mut);
            clusters.context("no clusters")?.push(cluster("application", address));
        }
        WasmListeners::of(builder(&config)?.concurrency(workers).start()?, names).map(Self)
    }

    /// The Envoy.
    pub fn envoy(&self) -> &Envoy {
        &self.0.envoy
    }

    /// Where a configuration's listener listens.
    ///
    /// # Errors
    /// There is no such configuration.
    pub fn address(&self, name: &str, direction: Option<Direction>) -> Result<SocketAddr> {
        self.0.address(&listener_name(name, direction))
    }

    /// Sends a request and says what arrived behind the listener.
    ///
    /// # Errors
    /// There is no such configuration, or it did not answer 200.
    pub fn arrived(&self, name: &str, direction: Option<Direction>, request: &HeaderList) -> Result<HeaderList> {
        self.0.arrived(&listener_name(name, direction), request)
    }

    /// How many connections the listener has got so far, worker by worker.
    ///
    /// # Errors
    /// Envoy does not answer.
    pub fn connections(&self, name: &str, direction: Option<Direction>, workers: u32) -> Result<Vec<u64>> {
        let name = listener_name(name, direction);
        let connections = |worker| {
            let counter = format!("listener.{name}.worker_{worker}.downstream_cx_total");
            Ok(self.0.envoy.counter(&counter)?.unwrap_or_default())
        };
        (0..workers).map(connections).collect()
    }
}

impl Behind {
    /// A listener with a filter, before what is behind it.
    fn listener(self, name: &str, direction: Option<Direction>, filter: &Value) -> Result<Value> {
        const ROUTE: &str = "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes/0";
        let mut listener = listener(name, direction, slice::from_ref(filter));
        let route = listener.pointer_mut(ROUTE).context("the listener has no route")?;
        match (self, direction) {
            (Self::Application(_), Some(Direction::Inbound)) => {
                *route = json!({"match": {"prefix": "/"}, "route": {"cluster": "application"}});
            }
            (Self::Nothing, _) => *route = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}}),
            _ => {}
        }
        Ok(listener)
    }
}

fn listener_name(name: &str, direction: Option<Direction>) -> String {
    let direction = direction.map_or_else(|| "neither".to_owned(), |direction| format!("{direction:?}").to_lowercase());
    format!("{name}-{direction}")
}
