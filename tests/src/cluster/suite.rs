use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use super::Cluster;

/// Two cores are busy with so many: a test waits for kubectl, which waits for the server, which waits for etcd.
const THREADS: usize = 4;

/// A test on a cluster that it shares with others.
pub struct Test {
    name: String,
    run: Box<Run>,
}

type Run = dyn FnOnce(&Cluster) -> Result<()> + Send;

impl Test {
    /// A test of that name.
    pub fn new(name: impl Into<String>, run: impl FnOnce(&Cluster) -> Result<()> + Send + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// The whole of a suite: starts the cluster, runs the tests that the command line asks for, and ends what was started.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let cluster = match (!arguments.list).then(Cluster::start).transpose() {
        Ok(cluster) => Arc::new(cluster),
        Err(error) => {
            eprintln!("error: no cluster: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trials = tests.into_iter().map(|test| {
        let cluster = Arc::clone(&cluster);
        Trial::test(test.name, move || {
            let run = |cluster| (test.run)(cluster).map_err(|error| Failed::from(format!("{error:#}")));
            Option::as_ref(&cluster).map_or(Ok(()), run)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
