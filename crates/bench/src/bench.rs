//! What every section of a run shares.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{cores::Cores, progress::Progress};

/// The surroundings of a run.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) repository: PathBuf,
    pub(crate) envoy: PathBuf,
    pub(crate) mock_service: PathBuf,
    pub(crate) modules: Modules,
    pub(crate) cores: Cores,
    pub(crate) pace: Pace,
    pub(crate) progress: Progress,
}

/// The modules that are compared.
#[derive(Debug)]
pub(crate) struct Modules {
    /// As `make dist` leaves them.
    pub(crate) release: PathBuf,
    /// The rule as the SDK has it written.
    sdk: PathBuf,
    assembled: TempDir,
}

/// A filter that ships.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Filter {
    HashTagging,
    BaggagePropagation,
    TracePropagation,
}

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Before each round: V8 compiles what runs often once more, and better, while it runs.
    pub(crate) warm_up: Duration,
    pub(crate) slice: Duration,
    pub(crate) rounds: usize,
    pub(crate) latency: Turns,
    /// Slower, so that its 99th percentile takes longer to show.
    pub(crate) chain: Turns,
    /// Of what is expensive to start.
    pub(crate) starts: usize,
    /// Requests before memory is looked at first; ten times as many before it is looked at again.
    pub(crate) requests: u64,
}

/// One after the other, in every round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    /// Of each turn, not recorded.
    pub(crate) warm_up: Duration,
    pub(crate) slice: Duration,
    pub(crate) rounds: usize,
}

impl Pace {
    pub(crate) const FULL: Self = Self {
        warm_up: Duration::from_secs(3),
        slice: Duration::from_secs(3),
        rounds: 12,
        latency: Turns { warm_up: Duration::from_millis(200), slice: Duration::from_millis(1500), rounds: 12 },
        chain: Turns { warm_up: Duration::from_millis(200), slice: Duration::from_millis(2500), rounds: 24 },
        starts: 9,
        requests: 50_000,
    };
    /// What the ratios need.
    pub(crate) const CHECK: Self = Self { slice: Duration::from_millis(1500), rounds: 9, ..Self::FULL };
    pub(crate) const QUICK: Self = Self {
        warm_up: Duration::from_millis(500),
        slice: Duration::from_millis(400),
        rounds: 6,
        latency: Turns { warm_up: Duration::from_millis(50), slice: Duration::from_millis(250), rounds: 6 },
        chain: Turns { warm_up: Duration::from_millis(50), slice: Duration::from_millis(500), rounds: 6 },
        starts: 6,
        requests: 30_000,
    };
}

impl Filter {
    pub(crate) const ALL: [Self; 3] = [Self::HashTagging, Self::BaggagePropagation, Self::TracePropagation];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HashTagging => "hash-tagging",
            Self::BaggagePropagation => "baggage-propagation",
            Self::TracePropagation => "trace-propagation",
        }
    }

    fn file(self) -> String {
        self.name().replace('-', "_")
    }
}

impl Modules {
    /// # Errors
    ///
    /// One has not been built.
    pub(crate) fn find(release: PathBuf, sdk: PathBuf) -> Result<Self> {
        let modules = Self { release, sdk, assembled: tempfile::tempdir()? };
        let text = include_str!("../modules/floor.wat");
        std::fs::write(modules.floor(), wat::parse_str(text).context("modules/floor.wat")?)?;
        std::fs::write(modules.floor_told(), wat::parse_str(told_of_streams(text)?).context("modules/floor.wat")?)?;
        for module in Filter::ALL.map(|filter| modules.release(filter)).iter().chain([&modules.sdk]) {
            ensure!(module.is_file(), "there is no {}: run `make bench`", module.display());
        }
        Ok(modules)
    }

    pub(crate) fn release(&self, filter: Filter) -> PathBuf {
        self.release.join(format!("{}.wasm", filter.file()))
    }

    /// As plain cargo leaves it.
    pub(crate) fn sdk(&self) -> PathBuf {
        self.sdk.clone()
    }

    /// The hand-written module.
    pub(crate) fn floor(&self) -> PathBuf {
        self.assembled.path().join("floor.wasm")
    }

    /// The same, with the callback that says which plug-in a stream belongs to.
    pub(crate) fn floor_told(&self) -> PathBuf {
        self.assembled.path().join("floor_told.wasm")
    }
}

/// A module's text with a callback more.
fn told_of_streams(module: &str) -> Result<String> {
    let open = module.trim_end().strip_suffix(')').context("modules/floor.wat does not end with its module")?;
    Ok(format!("{open}\n(func (export \"proxy_on_context_create\") (param i32 i32)))"))
}

/// The size of a file.
pub(crate) fn size(path: &Path) -> Result<u64> {
    Ok(path.metadata().with_context(|| path.display().to_string())?.len())
}
