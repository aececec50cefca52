//! Tier 2: through the release modules, in an in-process host.

use std::time::Duration;

use anyhow::{Result, ensure};
use header_edit::{Directed, Direction, HeaderList};

use super::{DIRECTIONS, Running, Suite, Tier, any_request};
use crate::{
    cases::{Exchange, Expectation},
    filter::Filter,
    module_host::{Level, Module, Process},
    worker::{PLUGIN, Passed, Worker},
};

/// The release module of a filter.
pub struct InProcess {
    filter: Filter,
    module: Module,
}

/// A process with a worker for each direction: what comes in on one goes out on another.
struct Workers {
    filter: Filter,
    process: Process,
    inbound: Worker,
    outbound: Worker,
    unspecified: Worker,
}

impl InProcess {
    fn run(&self, configuration: &str) -> Result<Workers> {
        let process = Process::new();
        let worker = || Worker::start(&self.module, &process, configuration);
        let (inbound, outbound, unspecified) = (worker()?, worker()?, worker()?);
        Ok(Workers { filter: self.filter, process, inbound, outbound, unspecified })
    }
}

impl Tier for InProcess {
    const MOVES_CLOCK: bool = true;

    fn ready(suite: &Suite) -> Result<Self> {
        Ok(Self { filter: suite.filter, module: Module::load(&suite.filter.module()?)? })
    }

    fn start(&self, config: &str) -> Result<Box<dyn Running + '_>> {
        let workers = self.run(config)?;
        ensure!(workers.gauge() == Some(0), "refused: {:?}", workers.logged(Level::Error));
        Ok(Box::new(workers))
    }

    fn refused(&self, verdict: &Expectation) -> Result<()> {
        let mut workers = self.run(&verdict.config)?;
        let headers = any_request();
        for direction in DIRECTIONS {
            let passed = workers.request(&Directed { headers: headers.clone(), direction })?;
            let is_untouched = passed.headers == headers && !passed.route_cache_cleared;
            ensure!(is_untouched, "the request was touched: {passed:?}");
        }
        ensure!(workers.process.shared_data_len() == 0, "something was stored");
        ensure!(workers.gauge() == Some(1), "the gauge does not say that the configuration was refused");
        let start = format!("{}: configuration refused: {}; ", self.filter.module_name(), verdict.message);
        let said = workers.logged(Level::Error);
        ensure!(
            said.len() == DIRECTIONS.len() && said.iter().all(|line| line.starts_with(&start)),
            "not logged once by every worker: {said:?}"
        );
        Ok(())
    }

    fn warned(&self, verdict: &Expectation) -> Result<()> {
        let workers = self.run(&verdict.config)?;
        let said = workers.logged(Level::Warn);
        let line = format!("{}: {}", self.filter.module_name(), verdict.message);
        ensure!(said == [line.as_str(); DIRECTIONS.len()], "not logged once by every worker: {said:?}");
        ensure!(workers.gauge() == Some(0), "the gauge says that the configuration was refused");
        Ok(())
    }
}

impl Workers {
    fn request(&mut self, request: &Directed<HeaderList>) -> Result<Passed> {
        match request.direction {
            Some(Direction::Inbound) => self.inbound.request(request),
            Some(Direction::Outbound) => self.outbound.request(request),
            None => self.unspecified.request(request),
        }
    }

    fn gauge(&self) -> Option<u64> {
        self.process.gauge(&self.filter.refused_gauge(PLUGIN))
    }

    fn logged(&self, level: Level) -> Vec<String> {
        self.process.log().into_iter().filter(|(l, _)| *l == level).map(|(_, text)| text).collect()
    }
}

impl Running for Workers {
    fn exchange(&mut self, exchange: &Exchange) -> Result<()> {
        let count = |process: &Process| {
            let counter = exchange.counter.as_ref()?;
            Some(process.counter(counter).unwrap_or_default())
        };
        let before = count(&self.process);
        let Passed { headers, route_cache_cleared } = self.request(&exchange.request)?;
        ensure!(headers == exchange.request.headers || route_cache_cleared, "the old route was kept");
        let (expected, after) = (before.map(|before| before + 1), count(&self.process));
        ensure!(after == expected, "{:?}: expected {expected:?}, got {after:?}", exchange.counter);
        exchange.check(&headers)
    }

    fn after(&mut self, time: Duration) {
        self.process.set_time(self.process.time() + time);
    }
}
