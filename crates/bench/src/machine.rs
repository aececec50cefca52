//! Where and of what figures were taken.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::cores::Cores;

/// What figures depend on besides the code.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    envoy: String,
    rustc: String,
    commit: String,
    /// Whether the working tree has changes that the commit has not.
    dirty: bool,
    /// Which core had the Envoys, and which the requests.
    placement: String,
}

impl Machine {
    pub(crate) fn of(repository: &Path, envoy: &Path, cores: &Cores) -> Result<Self> {
        let read = |file: &str| fs::read_to_string(file).with_context(|| file.to_owned());
        let git = |arguments: &[&str]| output(Command::new("git").args(arguments).current_dir(repository));
        let version = output(Command::new(envoy).arg("--version"))?;
        Ok(Self {
            cpu: model(&read("/proc/cpuinfo")?).to_owned(),
            cores: cores.all.len(),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            envoy: version.split_once("version: ").map_or(version.as_str(), |(_, version)| version).to_owned(),
            rustc: output(Command::new("rustc").arg("--version").current_dir(repository))?,
            commit: git(&["rev-parse", "--short=12", "HEAD"])?,
            dirty: !git(&["status", "--porcelain"])?.is_empty(),
            placement: cores.placement(),
        })
    }

    /// A Markdown list.
    pub(crate) fn lines(&self) -> String {
        let changes = if self.dirty { ", with uncommitted changes" } else { "" };
        format!(
            "- {}, {} cores, Linux {}; {}\n- Envoy {}\n- {}, commit {}{changes}\n",
            self.cpu, self.cores, self.kernel, self.placement, self.envoy, self.rustc, self.commit
        )
    }
}

fn model(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(": ")).map_or("an unknown CPU", |(_, model)| model.trim())
}

fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| program.clone())?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_in_cpuinfo() {
        assert_eq!(model("processor\t: 0\nmodel name\t: AMD EPYC 9B14\nflags\t: fpu\n"), "AMD EPYC 9B14");
        assert_eq!(model("processor\t: 0\n"), "an unknown CPU");
    }
}
