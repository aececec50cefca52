//! What every section of a run shares.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use local_mesh::Envoy;
use tempfile::NamedTempFile;

use crate::{Programs, cores::Cores};

/// The surroundings of a run.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) repository: PathBuf,
    pub(crate) envoy: PathBuf,
    pub(crate) programs: Programs,
    /// The hand-written module.
    pub(crate) floor: NamedTempFile,
    pub(crate) cores: Cores,
    pub(crate) pace: Pace,
}

/// A filter that ships.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Filter {
    HashTagging,
    BaggagePropagation,
    TracePropagation,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    /// Of a slice, and before each slice: V8 compiles what runs often once more, and better, while it runs.
    pub(crate) seconds: u64,
}

impl Pace {
    pub(crate) const FULL: Self = Self { rounds: 12, seconds: 3 };
    pub(crate) const CHECK: Self = Self { rounds: 9, seconds: 2 };
    pub(crate) const QUICK: Self = Self { rounds: 6, seconds: 1 };
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
}

impl Bench {
    pub(crate) fn new(programs: Programs, pace: Pace) -> Result<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let floor = NamedTempFile::with_suffix(".wasm")?;
        fs::write(&floor, wat::parse_file(repository.join("crates/bench/modules/floor.wat"))?)?;
        Ok(Self { envoy: Envoy::binary(&repository)?, repository, programs, floor, cores: Cores::divide()?, pace })
    }

    /// A module as `make dist` leaves it.
    pub(crate) fn release(&self, filter: Filter) -> PathBuf {
        self.programs.dist.join(format!("{}.wasm", filter.name().replace('-', "_")))
    }

    /// A file that comes with this crate.
    pub(crate) fn module(&self, name: &str) -> PathBuf {
        self.repository.join("crates/bench/modules").join(name)
    }

    /// What figures depend on besides the code.
    pub(crate) fn machine(&self) -> Result<Vec<String>> {
        let envoy = output(Command::new(&self.envoy).arg("--version"))?;
        let git = |arguments: &[&str]| output(Command::new("git").args(arguments).current_dir(&self.repository));
        let changes = if git(&["status", "--porcelain"])?.is_empty() { "" } else { ", with uncommitted changes" };
        let (cpus, kernel) = (fs::read_to_string("/proc/cpuinfo")?, output(Command::new("uname").arg("-sr"))?);
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let model = model.map_or("an unknown CPU", |(_, model)| model);
        let Cores { proxies, generator } = self.cores;
        Ok(vec![
            format!("{model}, {kernel}; Envoys on core {proxies}, requests from core {generator}"),
            format!("Envoy {}", envoy.rsplit("version: ").next().unwrap_or_default()),
            format!("commit {}{changes}", git(&["rev-parse", "--short=12", "HEAD"])?),
        ])
    }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| command.get_program().display().to_string())?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
