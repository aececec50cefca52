//! What is measured: an Envoy, what it is asked, and the proof that it does what its figure will be said to be the price of.

use std::{collections::BTreeSet, net::SocketAddr};

use anyhow::{Context, Result, ensure};
use local_mesh::{Envoy, EnvoyConfig};

use crate::{
    bench::Bench,
    load::{ClosedLoop, Header, Request, Target, ask, header},
    proxy::{Proxy, SHOW, SHOWN, Way},
};

/// How many users a split is tried with.
const USERS: u32 = 200;

/// An Envoy to be.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) proxy: Proxy,
    /// Where the load goes.
    pub(crate) way: Way,
    pub(crate) request: Request,
    pub(crate) proof: Proof,
    /// Requests that come before all others, and how many.
    pub(crate) before: Option<(Way, Request, u64)>,
}

/// What must be seen before a figure is worth anything.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// Each request shows this, in this order.
    Shows(Vec<(Way, Vec<Header>, String)>),
    /// The proxy has a hash of its own: two tags, always the same one for a user, about 20 % of users with `s2`.
    Splits,
}

/// A subject that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) subject: Subject,
    pub(crate) envoy: Envoy,
}

impl Subject {
    /// Starts it on the core of the proxies, proves that it works, and sends what comes first.
    pub(crate) fn start(self, bench: &Bench) -> Result<Running> {
        bench.cores.for_proxies(|| self.start_here(bench))
    }

    /// The same, on the cores that the calling thread may use.
    pub(crate) fn start_here(self, bench: &Bench) -> Result<Running> {
        let config = EnvoyConfig::Text(self.proxy.bootstrap().to_string());
        let envoy = Envoy::builder(&bench.envoy, config).name(&self.name).concurrency(self.proxy.workers).start()?;
        let running = Running { subject: self, envoy };
        running.prove()?;
        if let Some((way, request, number)) = running.subject.before.clone() {
            running.send(way, &request, number)?;
        }
        Ok(running)
    }
}

impl Running {
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        self.envoy.listener_address(self.subject.way.name())
    }

    /// The load, for a closed loop.
    pub(crate) fn target(&self, connections: usize) -> Result<Target> {
        let template = self.subject.request.template();
        Ok(Target { name: self.subject.name.clone(), address: self.address()?, template, connections })
    }

    /// Sends so many requests, or a few more.
    pub(crate) fn send(&self, way: Way, request: &Request, number: u64) -> Result<()> {
        let address = self.envoy.listener_address(way.name())?;
        let target = Target { name: self.subject.name.clone(), address, template: request.template(), connections: 16 };
        let load = ClosedLoop::start(vec![target]);
        while load.is_running() && load.answered().any(|answered| answered < number) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        load.stop()
    }

    /// # Errors
    ///
    /// It does not do what it is measured for.
    pub(crate) fn prove(&self) -> Result<()> {
        let proven = match &self.subject.proof {
            Proof::Shows(exchanges) => exchanges.iter().try_for_each(|(way, headers, expected)| {
                let shown = self.shown(*way, headers.clone())?;
                ensure!(shown == *expected, "{headers:?}: {expected:?} should be seen, and {shown:?} is");
                Ok(())
            }),
            Proof::Splits => self.prove_split(),
        };
        proven.with_context(|| format!("{} does not do what it should, so it is not measured", self.subject.name))
    }

    fn prove_split(&self) -> Result<()> {
        let mut canary = 0;
        for user in 0..USERS {
            let ask = || self.shown(self.subject.way, vec![header("x-user-id", format!("user-{user}"))]);
            let tags: BTreeSet<String> = [ask()?, ask()?].into();
            ensure!(tags.len() == 1, "user-{user} is tagged differently each time: {tags:?}");
            let tag = tags.first().map_or("", String::as_str);
            ensure!(["s1", "s2"].contains(&tag), "user-{user} is tagged {tag:?}");
            canary += u32::from(tag == "s2");
        }
        // Five standard deviations around 20 %.
        ensure!((12..=68).contains(&canary), "{canary} of {USERS} users are tagged s2");
        Ok(())
    }

    fn shown(&self, way: Way, headers: Vec<Header>) -> Result<String> {
        let address = self.envoy.listener_address(way.name())?;
        let answer = ask(address, &Request { path: SHOW, headers, numbers: 1 })?;
        Ok(answer.header(SHOWN).to_owned())
    }
}
