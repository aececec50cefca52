use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use super::Cluster;

/// Two cores are busy with so many: a test waits for kubectl, which waits for the server, which waits for etcd.
const THREADS: usize = 4;

/// A test on a cluster that it shares with others.
pub struct Test {
    name: String,
    /// A kind that not every API has, named as its definition is.
    kind: Option<String>,
    run: Box<Run>,
}

type Run = dyn FnOnce(&Cluster) -> Result<()> + Send;

impl Test {
    /// A test of that name.
    pub fn new(name: impl Into<String>, run: impl FnOnce(&Cluster) -> Result<()> + Send + 'static) -> Self {
        Self { name: name.into(), kind: None, run: Box::new(run) }
    }

    /// The test, which is ignored, and says so, by an API that does not serve this kind.
    pub fn with_kind(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// The kind that it needs and the API lacks.
    fn lacks(&self, cluster: &Cluster) -> Result<Option<&str>> {
        let Some(kind) = self.kind.as_deref() else { return Ok(None) };
        Ok((!cluster.serves(kind)?).then_some(kind))
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
        let lacks = Option::as_ref(&cluster).map_or(Ok(None), |cluster| test.lacks(cluster));
        // A test that cannot ask runs, and fails by what kubectl says.
        let is_ignored = matches!(lacks, Ok(Some(_)));
        if let Ok(Some(kind)) = lacks {
            println!("not run, for the API has no {kind} (LANES_CRDS): {}", test.name);
        }
        let trial = Trial::test(test.name, move || {
            let run = |cluster| (test.run)(cluster).map_err(|error| Failed::from(format!("{error:#}")));
            Option::as_ref(&cluster).map_or(Ok(()), run)
        });
        trial.with_ignored_flag(is_ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
