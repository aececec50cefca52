//! What is measured: an Envoy, what it is asked, and the proof that it does what its figure will be said to be the price of.

use anyhow::{Context, Result, ensure};
use local_mesh::{Envoy, EnvoyConfig};
use serde_json::Value;

use crate::{
    bench::Bench,
    load::{self, Headers, Target},
    proxy::{self, Direction},
};

/// An Envoy to be.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// Its configuration, a file of `modules/`.
    pub(crate) config: &'static str,
    /// What comes before the router in it.
    pub(crate) filters: Vec<Value>,
    pub(crate) requests: Requests,
    /// Requests that come before all others, for a second.
    pub(crate) before: Option<Requests>,
    /// What each of these requests must show, in this order, before and after a figure is taken.
    pub(crate) proof: Vec<(Direction, Headers, &'static str)>,
}

/// A load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requests {
    pub(crate) direction: Direction,
    pub(crate) headers: Headers,
    pub(crate) numbers: u32,
}

/// A variant that runs.
#[derive(Debug)]
pub(crate) struct Running {
    variant: Variant,
    pub(crate) envoy: Envoy,
    client: ureq::Agent,
}

impl Variant {
    /// Starts it on the core of the proxies, proves that it works, and sends what comes first.
    pub(crate) fn start(&self, bench: &Bench, workers: u32) -> Result<Running> {
        let mut config = proxy::read(&bench.module(self.config))?;
        proxy::change_filters(&mut config, &|filters| drop(filters.splice(..0, self.filters.clone())));
        let builder =
            Envoy::builder(&bench.envoy, EnvoyConfig::Text(config.to_string())).name(self.name).concurrency(workers);
        let envoy = bench.cores.for_proxies(|| builder.start())?;
        let client = ureq::Agent::config_builder().proxy(None).build().into();
        let running = Running { variant: self.clone(), envoy, client };
        running.prove()?;
        if let Some(before) = self.before {
            load::ask(bench, &[running.target_of(before, 16)?], 1)?;
        }
        Ok(running)
    }
}

impl Running {
    /// The load, in a closed loop.
    pub(crate) fn target(&self, connections: u32) -> Result<Target> {
        self.target_of(self.variant.requests, connections)
    }

    fn target_of(&self, requests: Requests, connections: u32) -> Result<Target> {
        let Requests { direction, headers, numbers } = requests;
        let address = self.envoy.listener_address(direction)?;
        Ok(Target { address, path: "/", headers, numbers, connections, pause: 0.0 })
    }

    /// # Errors
    ///
    /// It does not do what it is measured for. A filter that has died passes requests cheaply.
    pub(crate) fn prove(&self) -> Result<()> {
        let name = self.variant.name;
        for (direction, headers, expected) in &self.variant.proof {
            let shown = self.shown(direction, headers).context(name)?;
            ensure!(shown == *expected, "{name}, {direction}: {headers:?} should show {expected:?}, not {shown:?}");
        }
        Ok(())
    }

    fn shown(&self, direction: Direction, headers: Headers) -> Result<String> {
        let address = self.envoy.listener_address(direction)?;
        let mut request = self.client.get(format!("http://{address}/show"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.call()?;
        let shown = answer.headers().get("x-shown").context("nothing is shown")?;
        Ok(shown.to_str()?.trim().to_owned())
    }
}
